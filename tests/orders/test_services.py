"""Orders through the services, with the engine inline: rows, ledger, events, refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.clients.services import restriction_add
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.errors import NotAllowed, NotVisible
from apps.core.models import AuditRecord, OutboxEvent
from apps.core.money import Money
from apps.core.outbox import deliver_all
from apps.ledger.enums import AccountKind
from apps.ledger.models import Entry
from apps.ledger.selectors import account_for, balance_of
from apps.orders.adapters.protocol import ReportKind, VenueReport
from apps.orders.errors import (
    AccountNotInEngine,
    EngineRefused,
    FreeMarginTooLow,
    InvalidPrice,
    InvalidQuantity,
    OrderTooLate,
)
from apps.orders.models import ChildOrder, EngineAccount, Execution, JournalEntry, Order, Position
from apps.orders.permissions import SET_KILL_SWITCH, SUBMIT_ORDER
from apps.orders.selectors import account_equity, child_orders_to_send, positions_open
from apps.orders.services import (
    account_funds_reserve,
    kill_switch_set,
    order_cancel,
    position_close,
    venue_report_submit,
)
from apps.rules.models import DecisionLog
from tests.orders import floor
from tests.orders.floor import SYSTEM, holder_of, trades

pytestmark = pytest.mark.usefixtures("market")


def trading_balance(account) -> Money:
    owner = f"trading:{account.id}"
    return balance_of(account_for(AccountKind.CLIENT_TRADING, account.currency, owner)).posted


def test_a_client_buys_and_sells_and_every_book_agrees():
    account = floor.trading_account(funds="10000")

    bought = trades(account, "buy", "1.50")

    assert (bought.accepted, bought.status, bought.filled_lots) == (True, "2", Decimal("1.50"))
    assert bought.average_price == Decimal("1.100100")
    floor.price("EURUSD", "1.10260", "1.10270")
    sold = position_close(
        position_id=bought.position_id, client_order_id="close", actor=holder_of(account)
    )
    assert sold.accepted
    deal = Execution.objects.get(order=sold.order_id)
    assert deal.realized_money == Money.of("375.00", "USD")
    assert EngineAccount.objects.get(pk=account.pk).balance_money == Money.of("10375.00", "USD")
    assert trading_balance(account) == Money.of("10375.00", "USD")
    house = balance_of(account_for(AccountKind.BBOOK_PNL, "USD"))
    assert house.posted == Money.of("-375.00", "USD")
    assert Position.objects.get().close_reason == "CLIENT"
    deals = OutboxEvent.objects.filter(name="orders.DealExecuted").order_by("seq")
    assert [(d.payload["entry"], d.payload["realized_pnl"]) for d in deals] == [
        ("IN", "0.00"),
        ("OUT", "375.00"),
    ]


def books(account) -> tuple:
    """Everything that a refusal must not touch."""
    row = EngineAccount.objects.get(pk=account.pk)
    return (
        row.balance,
        Execution.objects.count(),
        Position.objects.count(),
        Entry.objects.count(),
        ChildOrder.objects.count(),
        OutboxEvent.objects.filter(name="orders.DealExecuted").count(),
    )


def test_a_refused_order_is_a_stored_order_with_its_reasons_and_nothing_else():
    account = floor.trading_account(funds="100")
    before = books(account)
    reply = trades(account, "buy", "1.00")
    assert (reply.accepted, reply.code) == (False, "FREE_MARGIN_TOO_LOW")
    assert reply.text == "There is not enough free margin for this order."
    order = Order.objects.get(pk=reply.order_id)
    assert (order.status, order.code, order.leaves) == ("8", "FREE_MARGIN_TOO_LOW", 0)
    assert [name for name, passed, _ in order.checks if not passed] == ["margin"]
    assert books(account) == before
    event = OutboxEvent.objects.get(name="orders.OrderRejected")
    assert event.payload["code"] == "FREE_MARGIN_TOO_LOW"


def test_a_double_click_is_one_order():
    account = floor.trading_account()
    first = trades(account, "buy", "0.10", client_order_id="one-form")
    before = books(account)
    second = trades(account, "buy", "0.10", client_order_id="one-form")
    assert (second.duplicate, second.order_id, second.status) == (True, first.order_id, "2")
    assert second.average_price == first.average_price
    assert books(account) == before


def test_closing_twice_with_one_form_closes_once():
    account = floor.trading_account()
    held = trades(account, "buy", "0.10")
    close = {
        "position_id": held.position_id,
        "client_order_id": "close",
        "actor": holder_of(account),
    }
    first = position_close(**close)
    before = books(account)
    assert position_close(**close).order_id == first.order_id
    assert books(account) == before
    with pytest.raises(EngineRefused) as refusal:
        position_close(**(close | {"client_order_id": "again"}))
    assert refusal.value.code == "POSITION_CLOSED"
    assert books(account) == before


def test_nobody_trades_on_the_account_of_another_client():
    account, other = floor.trading_account(), floor.trading_account()
    before = books(account)
    with pytest.raises(NotVisible):
        trades(account, "buy", "0.10", actor=holder_of(other))
    held = trades(other, "buy", "0.10")
    resting = trades(other, "buy", "0.10", limit="1.05000")
    with pytest.raises(NotVisible):
        position_close(position_id=held.position_id, client_order_id="x", actor=holder_of(account))
    with pytest.raises(NotVisible):
        order_cancel(order_id=resting.order_id, actor=holder_of(account))
    assert Order.objects.filter(account=account).count() == 0
    assert books(account)[0] == before[0]


def test_a_role_without_the_permission_places_no_order():
    account = floor.trading_account()
    looks_only = Actor(
        ActorKind.STAFF, "user:1", "staff", permissions=frozenset(), scope=Scope(ScopeLevel.ALL)
    )
    with pytest.raises(NotAllowed):
        trades(account, "buy", "0.10", actor=looks_only)
    assert not Order.objects.exists()
    dealer = Actor(
        ActorKind.STAFF,
        "user:2",
        "dealer",
        permissions=frozenset({str(SUBMIT_ORDER)}),
        scope=Scope(ScopeLevel.ALL),
    )
    assert trades(account, "buy", "0.10", actor=dealer).accepted


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"lots": "0.015"}, InvalidQuantity),
        ({"lots": "0"}, InvalidQuantity),
        ({"lots": "-1"}, InvalidQuantity),
        ({"lots": "0.10", "limit": "1.1000001"}, InvalidPrice),
        ({"lots": "0.10", "symbol": "NOSUCH"}, EngineRefused),
    ],
)
def test_what_is_not_an_order_never_reaches_the_engine(fields, error):
    account = floor.trading_account()
    before = (books(account), JournalEntry.objects.count())
    with pytest.raises(error):
        trades(account, "buy", **fields)
    assert not Order.objects.exists()
    assert (books(account), JournalEntry.objects.count()) == before


def test_every_order_has_its_decision_receipts():
    account = floor.trading_account()
    trades(account, "buy", "0.10")
    receipts = DecisionLog.objects.filter(client_id=account.client_id).order_by("point")
    assert set(receipts.values_list("point", flat=True)) == {"order.book", "order.permission"}


def test_a_restriction_reaches_the_engine_and_the_client_may_still_get_out():
    account = floor.trading_account()
    trades(account, "buy", "0.10")
    restriction_add(
        client_id=account.client_id, kind="no_trading", actor=SYSTEM, reason="asked by compliance"
    )
    deliver_all()
    before = books(account)
    from apps.core.errors import DomainError

    with pytest.raises(DomainError):
        trades(account, "buy", "0.10").raise_unless_accepted()
    assert books(account)[:2] == before[:2]


def test_a_limit_order_rests_in_the_tables_and_is_cancelled_with_a_reason():
    account = floor.trading_account()
    reply = trades(account, "buy", "0.10", limit="1.05000")
    order = Order.objects.get(pk=reply.order_id)
    assert (order.status, order.open_lots, order.limit_price) == (
        "0",
        Decimal("0.1"),
        Decimal("1.05"),
    )
    cancelled = order_cancel(order_id=order.id, actor=holder_of(account))
    assert (cancelled.status, cancelled.leaves) == ("4", 0)
    with pytest.raises(OrderTooLate):
        order_cancel(order_id=order.id, actor=holder_of(account))


def test_money_leaves_a_trading_account_only_as_far_as_the_margin_allows():
    account = floor.trading_account(funds="5000")
    trades(account, "buy", "1.00")  # 110,010 ÷ 30 = 3,667.00, spread 10.00
    before = EngineAccount.objects.get(pk=account.pk).balance
    with pytest.raises(FreeMarginTooLow) as refusal:
        account_funds_reserve(
            account_id=account.id, amount=Money.of("1323.01", "USD"), reference="w"
        )
    assert refusal.value.values["available"] == Money.of("1323.00", "USD")
    assert EngineAccount.objects.get(pk=account.pk).balance == before
    left = account_funds_reserve(
        account_id=account.id, amount=Money.of("1323.00", "USD"), reference="w"
    )
    again = account_funds_reserve(
        account_id=account.id, amount=Money.of("1323.00", "USD"), reference="w"
    )
    assert left == again == Money.of("3677.00", "USD")


def test_money_of_another_currency_or_an_unknown_account_is_refused():
    account = floor.trading_account()
    with pytest.raises(AccountNotInEngine):
        account_funds_reserve(account_id=account.id, amount=Money.of("1", "EUR"), reference="w")
    assert EngineAccount.objects.get(pk=account.pk).balance_money == Money.of("10000.00", "USD")


def test_equity_moves_with_the_market():
    account = floor.trading_account(funds="10000")
    trades(account, "buy", "1.00")
    floor.price("EURUSD", "1.10110", "1.10120")
    worth = account_equity(account.id)
    assert worth.balance == Money.of("10000.00", "USD")
    assert worth.floating == Money.of("100.00", "USD")
    assert worth.equity == Money.of("10100.00", "USD")
    assert worth.used_margin == Money.of("3667.00", "USD")
    assert worth.free_margin == Money.of("6433.00", "USD")
    assert worth.withdrawable == Money.of("6433.00", "USD")
    assert worth.margin_level == Decimal("275.43")
    (position,) = positions_open(account.id)
    assert (position.lots, position.floating) == (Decimal(1), Money.of("100.00", "USD"))


def test_a_large_order_is_passed_on_and_becomes_a_position_when_the_venue_reports():
    account = floor.trading_account(funds="100000")
    reply = trades(account, "buy", "10.00")
    assert reply.status == "0"
    (instruction,) = child_orders_to_send("main")
    assert (instruction.lots, instruction.client_order_id) == ("10", f"C{instruction.child_id}")
    report = VenueReport(
        kind=ReportKind.FILL,
        child_id=instruction.child_id,
        venue=instruction.venue,
        exec_id="x1",
        steps=instruction.steps,
        price_points=110_012,
    )
    assert venue_report_submit(report)
    assert venue_report_submit(report)
    assert Order.objects.get(pk=reply.order_id).status == "2"
    deal = Execution.objects.get()
    assert (deal.book, deal.venue_exec_id, deal.deal_price) == ("A", "x1", Decimal("1.10012"))
    assert child_orders_to_send("main") == []


def test_a_report_for_a_child_order_that_does_not_exist_is_not_taken():
    report = VenueReport(kind=ReportKind.FILL, child_id=5, venue="LP1", exec_id="x")
    assert venue_report_submit(report) is False


def test_a_kill_switch_is_audited_and_stops_the_engine_until_it_is_lifted():
    account = floor.trading_account()
    risk = Actor(
        ActorKind.STAFF,
        "user:3",
        "risk",
        permissions=frozenset({str(SET_KILL_SWITCH)}),
        scope=Scope(ScopeLevel.ALL),
    )
    with pytest.raises(NotAllowed):
        kill_switch_set(scope="firm", mode="REJECT_NEW", actor=holder_of(account), reason="no")
    kill_switch_set(scope="symbol:EURUSD", mode="REJECT_NEW", actor=risk, reason="bad feed")
    deliver_all()
    assert trades(account, "buy", "0.10").code == "KILL_SWITCH"
    assert trades(account, "buy", "0.01", "XAUUSD").accepted
    kill_switch_set(scope="symbol:EURUSD", mode="OFF", actor=risk, reason="feed is back")
    deliver_all()
    assert trades(account, "buy", "0.10").accepted
    assert AuditRecord.objects.filter(action="kill_switch.set").count() == 2
