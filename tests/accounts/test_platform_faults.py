"""The platform times out, answers twice, breaks, restarts: nothing is lost, nothing is done twice."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from apps.accounts.adapters import simulator
from apps.accounts.adapters.protocol import PlatformRefused, PlatformSilent, PlatformUnreachable
from apps.accounts.adapters.simulated import SimulatedPlatform
from apps.accounts.errors import PlatformPending, PlatformSaysNo
from apps.accounts.models import PlatformOperation
from apps.accounts.services import balance_operation, operation_deliver, operation_retry
from apps.core import clock
from apps.core.errors import Busy, Conflict, DomainError
from apps.core.models import Delivery
from apps.core.money import Money

from .world import balance_on, client_of, fresh, opens, staff

EUR = "EUR"


@pytest.fixture
def account(house, deliver_outbox):
    account = opens(client_of())
    deliver_outbox()
    return fresh(account)


def euros(amount: str) -> Money:
    return Money.of(amount, EUR)


def test_money_that_the_platform_booked_before_it_went_silent_is_adopted_not_doubled(
    house, account
):
    house.faults.add({"kind": "timeout_after"})
    with pytest.raises(PlatformPending):
        balance_operation(
            account_id=account.id, kind="DEPOSIT", amount=euros("500.00"), reference="dep-1"
        )
    assert PlatformOperation.objects.get(reference="dep-1").state == "UNKNOWN"
    assert balance_on(account, house) == Decimal("500.00")

    done = balance_operation(
        account_id=account.id, kind="DEPOSIT", amount=euros("500.00"), reference="dep-1"
    )
    assert (done.state, done.adopted, done.attempts) == ("DONE", True, 2)
    assert balance_on(account, house) == Decimal("500.00")


def test_an_answer_later_than_our_patience_is_adopted(house, account):
    house.faults.add({"kind": "delay", "seconds": 1.2})
    with pytest.raises(PlatformPending):
        balance_operation(
            account_id=account.id, kind="DEPOSIT", amount=euros("70.00"), reference="late"
        )
    # The platform is still working on it: asked now it may know nothing, and the repeat meets the first.
    done = balance_operation(
        account_id=account.id, kind="DEPOSIT", amount=euros("70.00"), reference="late"
    )
    assert done.state == "DONE"
    import time

    time.sleep(0.8)
    assert balance_on(account, house) == Decimal("70.00")


@pytest.mark.parametrize("fault", ["error_500", "error_500_after", "restart", "timeout_after"])
def test_whatever_breaks_the_money_arrives_once(house, account, fault):
    house.faults.add({"kind": fault, "times": 2})
    for _ in range(2):
        try:
            balance_operation(
                account_id=account.id, kind="DEPOSIT", amount=euros("10.00"), reference="once"
            )
        except PlatformPending:
            continue
    done = balance_operation(
        account_id=account.id, kind="DEPOSIT", amount=euros("10.00"), reference="once"
    )
    assert done.state == "DONE"
    assert balance_on(account, house) == Decimal("10.00")
    assert PlatformOperation.objects.filter(reference="once").count() == 1


def test_a_request_that_arrives_twice_is_done_once(house, account):
    house.faults.add({"kind": "duplicate"})
    balance_operation(account_id=account.id, kind="DEPOSIT", amount=euros("10.00"), reference="dup")
    assert balance_on(account, house) == Decimal("10.00")


def test_the_account_whose_opening_was_not_answered_is_adopted(house, deliver_outbox):
    house.faults.add({"kind": "timeout_after"})
    account = opens(client_of())
    deliver_outbox()
    assert fresh(account).state == "PROVISIONING"

    Delivery.objects.filter(state="PENDING").update(next_at=clock.now())
    deliver_outbox()
    assert fresh(account).state == "ACTIVE"
    assert PlatformOperation.objects.get(account=account).adopted is True
    assert len(house.book.accounts) == 1


def test_an_unreachable_platform_was_certainly_not_asked(house, account):
    server = account.server
    server.address = "http://127.0.0.1:9"
    from apps.core.actor import Actor

    server.save_as(Actor.system("tests"), "down")
    with pytest.raises(PlatformPending):
        balance_operation(
            account_id=account.id, kind="DEPOSIT", amount=euros("5.00"), reference="down"
        )
    operation = PlatformOperation.objects.get(reference="down")
    assert (operation.state, operation.attempts) == ("REQUESTED", 1)
    assert balance_on(account, house) == Decimal(0)


def test_a_withdrawal_that_the_platform_cannot_cover_is_refused_for_good(house, account):
    for _ in range(2):
        with pytest.raises(PlatformSaysNo) as refusal:
            balance_operation(
                account_id=account.id, kind="WITHDRAWAL", amount=euros("5.00"), reference="too much"
            )
        assert "NOT_ENOUGH_MONEY" in str(refusal.value)
    assert PlatformOperation.objects.get(reference="too much").attempts == 1
    assert balance_on(account, house) == Decimal(0)


def test_one_reference_stands_for_one_booking(house, account):
    balance_operation(account_id=account.id, kind="DEPOSIT", amount=euros("10.00"), reference="r")
    with pytest.raises(Conflict):
        balance_operation(
            account_id=account.id, kind="DEPOSIT", amount=euros("11.00"), reference="r"
        )
    with pytest.raises(Conflict):
        balance_operation(
            account_id=account.id, kind="WITHDRAWAL", amount=euros("10.00"), reference="r"
        )
    again = balance_operation(
        account_id=account.id, kind="DEPOSIT", amount=euros("10.00"), reference="r"
    )
    assert again.attempts == 1
    assert balance_on(account, house) == Decimal("10.00")


def test_wrong_input_reaches_no_platform(house, account):
    cases = [
        ({"kind": "GIFT", "amount": euros("1.00")}, "INVALID_INPUT"),
        ({"kind": "DEPOSIT", "amount": euros("0.00")}, "INVALID_INPUT"),
        ({"kind": "DEPOSIT", "amount": Money.of("1.00", "USD")}, "WRONG_CURRENCY"),
    ]
    for number, (values, code) in enumerate(cases):
        with pytest.raises(DomainError) as refusal:
            balance_operation(account_id=account.id, reference=f"bad-{number}", **values)
        assert refusal.value.code == code
    assert PlatformOperation.objects.filter(reference__startswith="bad-").count() == 0
    assert balance_on(account, house) == Decimal(0)


def test_an_account_that_is_not_open_yet_takes_no_money(house):
    account = opens(client_of())
    with pytest.raises(DomainError) as refusal:
        balance_operation(
            account_id=account.id, kind="DEPOSIT", amount=euros("1.00"), reference="early"
        )
    assert refusal.value.code == "ACCOUNT_NOT_FUNDABLE"
    assert PlatformOperation.objects.filter(reference="early").count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_talk_about_one_operation_at_once(tmp_path):
    from django.db import connection, connections

    from apps.accounts.locks import sole_delivery
    from apps.core.ids import new_id

    operation = new_id()
    with sole_delivery(operation):
        mine = connection.connection
        connections["default"].connection = None
        try:
            with pytest.raises(Busy), sole_delivery(operation):
                raise AssertionError("the second worker came in")
        finally:
            connection.close()
            connections["default"].connection = mine


def test_staff_put_an_unanswered_operation_back_on_its_way(house, account, deliver_outbox):
    house.faults.add({"kind": "timeout_after"})
    with pytest.raises(PlatformPending):
        balance_operation(
            account_id=account.id, kind="DEPOSIT", amount=euros("8.00"), reference="slow"
        )
    operation = PlatformOperation.objects.get(reference="slow")
    operation_retry(
        operation_id=operation.id, actor=staff("accounts.retry_platform"), reason="platform is back"
    )
    deliver_outbox()
    assert PlatformOperation.objects.get(reference="slow").state == "DONE"
    assert balance_on(account, house) == Decimal("8.00")
    with pytest.raises(DomainError) as refusal:
        operation_retry(
            operation_id=operation.id, actor=staff("accounts.retry_platform"), reason="x"
        )
    assert refusal.value.code == "WRONG_STATE"
    assert operation_deliver(operation_id=operation.id).attempts == 2


def test_a_restarted_platform_still_knows_every_account_and_reference(tmp_path):
    home = tmp_path / "platform"
    first = simulator.start(port=0, home=home)
    adapter = _adapter(first)
    made = adapter.create_account(
        reference="a", group="g", currency="EUR", leverage=30, mode="HEDGING"
    )
    adapter.balance_operation(
        reference="b", login=made.login, kind="DEPOSIT", amount=Decimal("12.34"), currency="EUR"
    )
    first.shutdown()
    first.server_close()
    (home / "journal.jsonl").open("ab").write(b'{"kind": "BALANCE", "torn')

    second = simulator.start(port=0, home=home)
    adapter = _adapter(second)
    account = adapter.account(login=made.login)
    assert (account.balance, account.leverage, account.rights) == (Decimal("12.34"), 30, "FULL")
    assert adapter.find(reference="b").details == {"ticket": 2, "balance": "12.34"}
    assert adapter.find(reference="c") is None
    second.shutdown()
    second.server_close()


def test_the_adapter_tells_refused_from_silent_from_unreachable(platform):
    adapter = _adapter(platform)
    with pytest.raises(PlatformRefused) as refusal:
        adapter.account(login="1")
    assert refusal.value.code == "UNKNOWN_LOGIN"
    platform.faults.add({"kind": "error_500"})
    with pytest.raises(PlatformSilent):
        adapter.create_account(reference="x", group="g", currency="EUR", leverage=1, mode="HEDGING")
    nobody = SimulatedPlatform(address="http://127.0.0.1:9", key="k", timeout_seconds=0.5)
    with pytest.raises(PlatformUnreachable):
        nobody.health()
    stranger = _adapter(platform, key="wrong")
    with pytest.raises(PlatformRefused) as refusal:
        stranger.health()
    assert refusal.value.code == "WRONG_KEY"


def test_nonsense_sent_to_the_platform_is_refused_and_changes_nothing(platform):
    address = f"http://127.0.0.1:{platform.server_address[1]}"
    headers = {"Authorization": f"Bearer {simulator.DEFAULT_KEY}"}
    for body in (b"{", b"[]", b'{"reference": "r"}', b'{"reference": "r", "leverage": 0}'):
        answer = httpx.post(f"{address}/accounts", content=body, headers=headers)
        assert answer.status_code == 422
    assert platform.book.accounts == {}


def _adapter(server, key: str = simulator.DEFAULT_KEY) -> SimulatedPlatform:
    return SimulatedPlatform(
        address=f"http://127.0.0.1:{server.server_address[1]}", key=key, timeout_seconds=1.0
    )
