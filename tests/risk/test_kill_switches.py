"""One person stops; two people open again."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps.core.actor import ScopeLevel
from apps.core.approvals import approval_vote, approval_withdraw
from apps.core.errors import NotAllowed, NotVisible, SelfApproval, WrongState
from apps.core.models import Approval, AuditRecord, OutboxEvent
from apps.core.outbox import deliver_all
from apps.risk.errors import BeyondOwnScope, SwitchAlreadyTripped, SwitchTargetUnknown
from apps.risk.models import KillSwitch
from apps.risk.services import kill_switch_rearm_request, kill_switch_trip
from tests.orders import floor
from tests.risk.conftest import staff

pytestmark = pytest.mark.usefixtures("market")


def trip(level: str = "symbol", target: str = "EURUSD", **values: object) -> KillSwitch:
    return kill_switch_trip(
        level=level, target=target, actor=values.get("actor", staff(1)), reason="news"
    )  # type: ignore[arg-type]


def switch_events() -> list[str]:
    rows = OutboxEvent.objects.filter(name__contains="KillSwitch").order_by("pk")
    return list(rows.values_list("name", flat=True))


def state_of(switch: KillSwitch) -> str:
    return str(KillSwitch.objects.get(pk=switch.pk).state)


def test_a_tripped_symbol_takes_no_new_risk_and_lets_clients_out():
    account = floor.trading_account(funds="50000")
    bought = floor.trades(account, "buy", "1.00")
    switch = trip()
    deliver_all()

    refused = floor.trades(account, "buy", "0.10")
    elsewhere = floor.trades(account, "buy", "0.10", "GBPUSD")
    closed = floor.trades(account, "sell", "1.00", position_id=bought.position_id)

    assert (refused.accepted, refused.code) == (False, "KILL_SWITCH")
    assert elsewhere.accepted
    assert closed.accepted
    assert switch.scope == "symbol:EURUSD"
    assert switch_events() == ["orders.KillSwitchSet", "risk.KillSwitchTripped"]


def test_opening_again_takes_a_second_person():
    account = floor.trading_account(funds="50000")
    switch = trip()
    asked = kill_switch_rearm_request(kill_switch_id=switch.pk, actor=staff(1), reason="calm again")
    deliver_all()

    assert asked.state == "REARM_REQUESTED"
    assert not floor.trades(account, "buy", "0.10").accepted
    with pytest.raises(SelfApproval):
        approval_vote(approval_id=asked.approval_id, actor=staff(1), verdict="APPROVE", reason="me")
    assert state_of(switch) == "REARM_REQUESTED"

    approval_vote(approval_id=asked.approval_id, actor=staff(2), verdict="APPROVE", reason="agreed")
    deliver_all()

    opened = KillSwitch.objects.get(pk=switch.pk)
    assert (opened.state, opened.rearmed_by) == ("REARMED", "user:2")
    assert floor.trades(account, "buy", "0.10").accepted
    assert switch_events()[2:] == ["orders.KillSwitchSet", "risk.KillSwitchRearmed"]
    actions = AuditRecord.objects.filter(action__startswith="kill_switch").order_by("pk")
    assert [a.action for a in actions] == [
        "kill_switch.trip",
        "kill_switch.set",
        "kill_switch.ask_to_rearm",
        "kill_switch.rearm",
        "kill_switch.set",
    ]


def test_a_second_person_who_says_no_keeps_it_stopped():
    account = floor.trading_account(funds="50000")
    switch = trip()
    asked = kill_switch_rearm_request(kill_switch_id=switch.pk, actor=staff(1), reason="calm again")

    approval_vote(approval_id=asked.approval_id, actor=staff(2), verdict="REJECT", reason="not yet")
    deliver_all()

    assert state_of(switch) == "TRIPPED"
    assert not floor.trades(account, "buy", "0.10").accepted
    again = kill_switch_rearm_request(kill_switch_id=switch.pk, actor=staff(2), reason="now")
    approval_withdraw(approval_id=again.approval_id, actor=staff(2), reason="no")
    assert state_of(switch) == "TRIPPED"


@pytest.mark.parametrize(
    ("level", "target"),
    [("firm", ""), ("entity", "BOS-INT"), ("group", "retail"), ("book", "b")],
)
def test_every_level_reaches_the_engine(level: str, target: str):
    account = floor.trading_account(funds="50000")
    trip(level, target)
    deliver_all()

    assert floor.trades(account, "buy", "0.10").code == "KILL_SWITCH"


def test_an_account_is_named_by_its_id_or_its_login_and_a_client_by_its_id():
    account = floor.trading_account(funds="50000")
    other = floor.trading_account(funds="50000")
    assert trip("account", str(account.login)).scope == f"account:{account.pk}"
    assert trip("client", str(other.client_id)).scope == f"client:{other.client_id}"
    deliver_all()

    assert floor.trades(account, "buy", "0.10").code == "KILL_SWITCH"
    assert floor.trades(other, "buy", "0.10").code == "KILL_SWITCH"


@pytest.mark.parametrize(
    ("level", "target"),
    [
        ("symbol", "NOPE"),
        ("entity", "BOS-XX"),
        ("account", "12"),
        ("account", ""),
        ("client", "ana"),
        ("book", "Z"),
        ("group", "vip"),
        ("firm", "x"),
    ],
)
def test_a_target_that_does_not_exist_is_refused(level: str, target: str):
    with pytest.raises(SwitchTargetUnknown):
        trip(level, target)

    assert KillSwitch.objects.count() == 0
    assert switch_events() == []


def test_stopping_needs_the_permission_and_happens_once():
    with pytest.raises(NotAllowed):
        trip(actor=staff(3, "risk.view_exposure"))
    assert KillSwitch.objects.count() == 0

    switch = trip()
    with pytest.raises(SwitchAlreadyTripped):
        trip(target="eurusd")
    with pytest.raises(NotAllowed):
        kill_switch_rearm_request(
            kill_switch_id=switch.pk, actor=staff(3, "risk.view_exposure"), reason="x"
        )
    assert KillSwitch.objects.count() == 1
    assert Approval.objects.count() == 0
    assert switch_events() == ["orders.KillSwitchSet", "risk.KillSwitchTripped"]


def test_asking_twice_is_refused():
    switch = trip()
    kill_switch_rearm_request(kill_switch_id=switch.pk, actor=staff(1), reason="calm")

    with pytest.raises(WrongState):
        kill_switch_rearm_request(kill_switch_id=switch.pk, actor=staff(2), reason="calm")

    assert Approval.objects.count() == 1


def test_the_database_allows_one_switch_in_force_for_a_scope():
    trip()

    with pytest.raises(IntegrityError), transaction.atomic():
        KillSwitch(level="symbol", target="EURUSD", tripped_by="x").save()

    assert KillSwitch.objects.count() == 1


@pytest.mark.parametrize(
    ("level", "target"),
    [("firm", ""), ("symbol", "EURUSD"), ("book", "B"), ("group", "eu-standard")],
)
def test_what_reaches_every_company_takes_the_scope_of_the_whole_house(level: str, target: str):
    """A dealer of one company neither stops nor opens what the clients of the other one trade on."""
    here = staff(1, level=ScopeLevel.ENTITY, entities=frozenset({"BOS-EU"}))
    with pytest.raises(BeyondOwnScope):
        trip(level, target, actor=here)
    assert not KillSwitch.objects.exists()
    assert switch_events() == []


def test_a_dealer_of_one_company_stops_that_company_and_opens_nothing_wider():
    code = floor.trading_account().client.entity.code
    here = staff(1, level=ScopeLevel.ENTITY, entities=frozenset({code}))
    own = trip("entity", code, actor=here)
    assert own.scope == f"entity:{code}"
    symbol = trip("symbol", "EURUSD")
    with pytest.raises(BeyondOwnScope):
        kill_switch_rearm_request(kill_switch_id=symbol.pk, actor=here, reason="let me")
    assert state_of(symbol) == "TRIPPED"


def test_a_stop_of_one_client_is_known_to_those_alone_who_see_the_client():
    account = floor.trading_account(funds="50000")
    switch = trip("client", str(account.client_id))
    entity = account.client.entity.code
    near = staff(2, level=ScopeLevel.ENTITY, entities=frozenset({entity}))
    far = staff(3, level=ScopeLevel.ENTITY, entities=frozenset({"ELSEWHERE"}))
    assert list(KillSwitch.objects.visible_to(near)) == [switch]
    assert not KillSwitch.objects.visible_to(far).exists()
    with pytest.raises(NotVisible):
        kill_switch_rearm_request(kill_switch_id=switch.pk, actor=far, reason="let me")
    assert state_of(switch) == "TRIPPED"
