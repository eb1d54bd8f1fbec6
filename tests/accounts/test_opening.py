"""Opening an account: the rule's cap, one press, the platform's answer, and every refusal."""

from __future__ import annotations

import pytest

from apps.accounts.models import PlatformOperation, TradingAccount
from apps.accounts.selectors import account_engine_view
from apps.accounts.services import (
    account_approve,
    account_open,
    account_reject,
    account_retry_provisioning,
)
from apps.clients.models import Restriction
from apps.core.errors import DomainError, NotAllowed, NotVisible, WrongState
from apps.core.models import OutboxEvent

from .world import SYSTEM, client_actor, client_of, fresh, opens, staff

pytestmark = pytest.mark.usefixtures("house")


def refused(code, function, /, **values):
    """Runs into the refusal and shows that neither a row nor an event came of it."""
    before = (
        TradingAccount.objects.count(),
        PlatformOperation.objects.count(),
        OutboxEvent.objects.count(),
    )
    with pytest.raises(DomainError) as refusal:
        function(**values)
    assert refusal.value.code == code
    after = (
        TradingAccount.objects.count(),
        PlatformOperation.objects.count(),
        OutboxEvent.objects.count(),
    )
    assert before == after
    return refusal.value


def test_retail_client_opens_an_account_at_thirty_to_one_and_the_platform_has_it(
    house, deliver_outbox
):
    account = opens(client_of())
    assert account.state == "PROVISIONING"
    assert account.login is None

    deliver_outbox()

    account = fresh(account)
    assert account.state == "ACTIVE"
    assert house.book.account(account.login) == {
        "login": account.login,
        "group": "eu\\standard-eur",
        "currency": "EUR",
        "leverage": 30,
        "mode": "HEDGING",
        "rights": "FULL",
        "balance": "0",
        "credit": "0",
    }
    assert account.leverage_caps == {"CRYPTO": 2, "FX_MAJOR": 30, "FX_MINOR": 20}
    names = list(OutboxEvent.objects.order_by("seq").values_list("name", flat=True))
    assert names == [
        "accounts.PlatformOperationRequested",
        "accounts.AccountRequested",
        "accounts.AccountActivated",
    ]


def test_the_engine_reads_everything_it_depends_on(deliver_outbox):
    client = client_of()
    account = opens(client)
    deliver_outbox()
    view = account_engine_view(account.id)
    assert (view.login, view.currency, view.leverage, view.mode, view.state) == (
        fresh(account).login,
        "EUR",
        30,
        "HEDGING",
        "ACTIVE",
    )
    assert view.leverage_caps == {"CRYPTO": 2, "FX_MAJOR": 30, "FX_MINOR": 20}
    assert (view.client_id, view.entity, view.rights) == (client.id, "BOS-EU", "FULL")
    assert (view.margin_call_percent, view.stop_out_percent) == (100, 50)
    assert view.restrictions == frozenset()


def test_pressing_twice_opens_one_account(deliver_outbox):
    client = client_of()
    first = opens(client, request_key="same press")
    second = opens(client, request_key="same press")
    deliver_outbox()
    assert first.id == second.id
    assert TradingAccount.objects.count() == 1
    assert PlatformOperation.objects.count() == 1


def test_leverage_above_the_rule_is_refused_with_its_cap():
    problem = refused("LEVERAGE_ABOVE_CAP", opens, client=client_of(), leverage=50)
    assert "30:1" in str(problem)


def test_offshore_client_may_take_five_hundred(deliver_outbox):
    account = opens(client_of("BOS-INT"), leverage=500)
    deliver_outbox()
    assert fresh(account).leverage == 500


def test_a_client_who_is_not_active_opens_nothing():
    refused("CLIENT_NOT_ACTIVE", opens, client=client_of(lifecycle="ONBOARDING"))


def test_a_client_held_from_new_accounts_opens_nothing():
    client = client_of()
    Restriction(
        client=client, kind="no_new_account", source="COMPLIANCE", reason="x", added_by="user:1"
    ).save_as(SYSTEM, "test")
    refused("CLIENT_RESTRICTED", opens, client=client)


def test_what_the_catalogue_does_not_offer_is_refused():
    client = client_of()
    refused(
        "ACCOUNT_TYPE_NOT_OFFERED",
        opens,
        client=client,
        account_type="int-standard",
        currency="USD",
    )
    refused("CURRENCY_NOT_OFFERED", opens, client=client, currency="JPY")
    refused("LEVERAGE_NOT_OFFERED", opens, client=client, leverage=7)
    refused("NOT_FOUND", opens, client=client, account_type="gold-plated")


def test_the_sixth_account_of_a_type_is_one_too_many():
    client = client_of()
    for _ in range(5):
        opens(client)
    refused("TOO_MANY_ACCOUNTS", opens, client=client)


def test_nobody_opens_an_account_for_somebody_else():
    ana, omar = client_of(), client_of()
    refused("NOT_FOUND", opens, client=ana, actor=client_actor(omar))


def test_a_role_without_the_permission_is_refused():
    with pytest.raises(NotAllowed):
        account_open(
            client_id=client_of().id,
            account_type="eu-standard",
            currency="EUR",
            leverage=30,
            actor=staff(),
            request_key="x",
        )
    assert TradingAccount.objects.count() == 0


def test_a_platform_without_logins_left_leaves_the_account_for_a_person_to_retry(
    house, deliver_outbox
):
    house.book._capacity = 0
    account = opens(client_of())
    deliver_outbox()
    assert fresh(account).state == "PROVISION_FAILED"
    assert PlatformOperation.objects.get().error == "LOGIN_RANGE_EXHAUSTED"

    house.book._capacity = 10
    operations = staff("accounts.retry_platform")
    account_retry_provisioning(account_id=account.id, actor=operations, reason="range extended")
    deliver_outbox()
    assert fresh(account).state == "ACTIVE"
    assert sorted(PlatformOperation.objects.values_list("state", flat=True)) == ["DONE", "FAILED"]


def test_decisions_on_an_account_that_is_open_already_are_refused(deliver_outbox):
    account = opens(client_of())
    deliver_outbox()
    actor = staff("accounts.decide_account", "accounts.retry_platform")
    for command in (account_approve, account_reject, account_retry_provisioning):
        with pytest.raises(WrongState):
            command(account_id=account.id, actor=actor, reason="x")
    assert fresh(account).state == "ACTIVE"


def test_staff_without_scope_do_not_see_the_account():
    account = opens(client_of())
    from apps.core.actor import ScopeLevel

    nobody = staff("accounts.decide_account", level=ScopeLevel.NONE)
    with pytest.raises(NotVisible):
        account_approve(account_id=account.id, actor=nobody, reason="x")
    assert fresh(account).state == "PROVISIONING"
