"""Close-only, read-only, disabled, leverage: decided here, delivered, confirmed by the platform."""

from __future__ import annotations

from itertools import product

import pytest

from apps.accounts.enums import AccountState
from apps.accounts.models import PlatformOperation, TradingAccount
from apps.accounts.rights import STRICTNESS, rights_due
from apps.accounts.selectors import account_engine_view
from apps.accounts.services import (
    account_approve,
    account_change_leverage,
    account_disable,
    account_make_close_only,
    account_make_read_only,
    account_reactivate,
    account_reject,
    account_retry_provisioning,
)
from apps.clients.models import Restriction
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.models import OutboxEvent

from .world import SYSTEM, client_actor, client_of, fresh, opens, staff

LIMITER = staff("accounts.limit_account", "accounts.decide_account", "accounts.retry_platform")


@pytest.fixture
def account(house, deliver_outbox):
    account = opens(client_of())
    deliver_outbox()
    return fresh(account)


def rights_on(house, account) -> str:
    return house.book.account(fresh(account).login)["rights"]


COMMANDS = {
    "approve": account_approve,
    "reject": account_reject,
    "retry": account_retry_provisioning,
    "close_only": account_make_close_only,
    "read_only": account_make_read_only,
    "disable": account_disable,
    "reactivate": account_reactivate,
}
LEADS_TO = {
    ("PENDING_APPROVAL", "approve"): "PROVISIONING",
    ("PENDING_APPROVAL", "reject"): "REJECTED",
    ("PROVISION_FAILED", "retry"): "PROVISIONING",
    ("ACTIVE", "close_only"): "CLOSE_ONLY",
    ("READ_ONLY", "close_only"): "CLOSE_ONLY",
    ("DISABLED", "close_only"): "CLOSE_ONLY",
    ("ACTIVE", "read_only"): "READ_ONLY",
    ("CLOSE_ONLY", "read_only"): "READ_ONLY",
    ("DISABLED", "read_only"): "READ_ONLY",
    ("ACTIVE", "disable"): "DISABLED",
    ("CLOSE_ONLY", "disable"): "DISABLED",
    ("READ_ONLY", "disable"): "DISABLED",
    ("DORMANT", "disable"): "DISABLED",
    ("CLOSE_ONLY", "reactivate"): "ACTIVE",
    ("READ_ONLY", "reactivate"): "ACTIVE",
    ("DISABLED", "reactivate"): "ACTIVE",
}


def test_every_pair_of_state_and_command_is_a_move_or_a_refusal(account):
    for state, name in product(AccountState.values, COMMANDS):
        TradingAccount.objects.filter(pk=account.pk).update(state=state)
        events = OutboxEvent.objects.count()
        try:
            COMMANDS[name](account_id=account.id, actor=LIMITER, reason="table")
        except WrongState:
            assert (state, name) not in LEADS_TO
            assert fresh(account).state == state
            assert OutboxEvent.objects.count() == events
        else:
            assert fresh(account).state == LEADS_TO[state, name]


@pytest.mark.parametrize(
    ("command", "rights"),
    [
        (account_make_close_only, "CLOSE_ONLY"),
        (account_make_read_only, "READ_ONLY"),
        (account_disable, "DISABLED"),
    ],
)
def test_a_limit_reaches_the_platform_and_is_proven(
    house, account, deliver_outbox, command, rights
):
    command(account_id=account.id, actor=LIMITER, reason="compliance asked")
    assert fresh(account).rights_confirmed is False
    assert account_engine_view(account.id).rights == rights

    deliver_outbox()
    limited = fresh(account)
    assert rights_on(house, account) == rights
    assert (limited.rights_delivered, limited.rights_confirmed) == (rights, True)
    assert limited.rights_delivered_at is not None

    account_reactivate(account_id=account.id, actor=LIMITER, reason="cleared")
    deliver_outbox()
    assert rights_on(house, account) == "FULL"


def test_limits_need_the_permission(account):
    for command in (
        account_make_close_only,
        account_make_read_only,
        account_disable,
        account_reactivate,
    ):
        with pytest.raises(NotAllowed):
            command(account_id=account.id, actor=client_actor(account.client), reason="x")
    assert fresh(account).state == "ACTIVE"


def restrict(client, kind: str, case: str) -> Restriction:
    row = Restriction(
        client=client,
        kind=kind,
        source="COMPLIANCE",
        source_ref=case,
        reason="held",
        added_by="user:1",
    )
    row.save_as(SYSTEM, "test")
    return row


def tell(client, kind: str, added: bool) -> None:
    from apps.clients.events import RestrictionAdded, RestrictionLifted
    from apps.core.commands import command
    from apps.core.events import emit
    from apps.core.ids import new_id

    @command
    def put(*, event) -> None:
        emit(event)

    if added:
        event = RestrictionAdded(
            client_id=client.id, restriction_id=new_id(), kind=kind, expires_at=None
        )
    else:
        event = RestrictionLifted(
            client_id=client.id, restriction_id=new_id(), kind=kind, still_restricted=True
        )
    put(event=event)


def test_lifting_one_of_two_restrictions_leaves_the_other_on_the_platform(
    house, account, deliver_outbox
):
    client = account.client
    no_trading = restrict(client, "no_trading", "case-1")
    restrict(client, "close_only", "case-2")
    tell(client, "no_trading", added=True)
    tell(client, "close_only", added=True)
    deliver_outbox()
    assert rights_on(house, account) == "READ_ONLY"
    assert fresh(account).state == "ACTIVE"
    assert account_engine_view(account.id).restrictions == {"no_trading", "close_only"}

    no_trading.end(by=SYSTEM, reason="cleared")
    no_trading.save_as(SYSTEM, "cleared")
    tell(client, "no_trading", added=False)
    deliver_outbox()
    assert rights_on(house, account) == "CLOSE_ONLY"
    assert fresh(account).rights_delivered == "CLOSE_ONLY"


def test_a_restriction_that_was_there_first_binds_the_account_from_its_opening(
    house, deliver_outbox
):
    client = client_of()
    account = opens(client)
    restrict(client, "close_only", "case-1")
    deliver_outbox()
    assert fresh(account).state == "ACTIVE"
    assert rights_on(house, account) == "CLOSE_ONLY"


def test_reactivating_an_account_does_not_lift_the_clients_restriction(
    house, account, deliver_outbox
):
    account_disable(account_id=account.id, actor=LIMITER, reason="x")
    restrict(account.client, "close_only", "case")
    account_reactivate(account_id=account.id, actor=LIMITER, reason="x")
    deliver_outbox()
    assert rights_on(house, account) == "CLOSE_ONLY"


def test_the_strictest_of_state_and_restrictions_is_due():
    for state, kinds in product(
        ("ACTIVE", "CLOSE_ONLY", "READ_ONLY", "DISABLED"),
        ([], ["close_only"], ["no_trading"], ["no_deposit"], ["close_only", "no_trading"]),
    ):
        due = STRICTNESS.index(rights_due(state, kinds))
        assert due >= STRICTNESS.index(rights_due(state, []))
        assert due >= STRICTNESS.index(rights_due("ACTIVE", kinds))
    assert rights_due("ACTIVE", ["no_deposit", "no_marketing"]) == "FULL"


def test_leverage_changes_when_the_platform_has_confirmed(house, account, deliver_outbox):
    account_change_leverage(account_id=account.id, leverage=10, actor=client_actor(account.client))
    assert fresh(account).leverage == 30
    deliver_outbox()
    assert fresh(account).leverage == 10
    assert house.book.account(account.login)["leverage"] == 10


@pytest.mark.parametrize(
    ("leverage", "code"), [(50, "LEVERAGE_ABOVE_CAP"), (7, "LEVERAGE_NOT_OFFERED")]
)
def test_leverage_beyond_rule_or_list_is_refused(house, account, leverage, code):
    events = OutboxEvent.objects.count()
    with pytest.raises(DomainError) as refusal:
        account_change_leverage(
            account_id=account.id, leverage=leverage, actor=client_actor(account.client)
        )
    assert refusal.value.code == code
    assert PlatformOperation.objects.filter(kind="SET_LEVERAGE").count() == 0
    assert OutboxEvent.objects.count() == events
    assert fresh(account).leverage == 30


def test_a_second_change_waits_for_the_first(account):
    account_change_leverage(account_id=account.id, leverage=10, actor=client_actor(account.client))
    with pytest.raises(DomainError) as refusal:
        account_change_leverage(
            account_id=account.id, leverage=20, actor=client_actor(account.client)
        )
    assert refusal.value.code == "CHANGE_PENDING"
    assert PlatformOperation.objects.filter(kind="SET_LEVERAGE").count() == 1
