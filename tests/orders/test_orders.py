"""The life of orders and positions on the house book."""

from __future__ import annotations

import pytest

from apps.orders.engine.commands import DayEnded, FundsApplied, InstrumentChanged, Started
from apps.orders.engine.fix import OrdStatus
from tests.orders.desk import Desk, instrument


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account(funds="10000", leverage=100)
    return desk


def test_a_market_order_fills_at_the_client_s_price_with_the_group_s_markup():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account(funds="10000", leverage=100, markup=(("EURUSD", 3), ("*", 9)))
    bought = desk.ordered("buy", "1.00")
    sold = desk.ordered("sell", "1.00")
    assert [e.price for e in bought.executions + sold.executions] == [110_013, 109_997]
    assert bought.executions[0].spread_cost == 16_00
    assert (bought.executions[0].bid, bought.executions[0].ask) == (110_000, 110_010)


def test_an_order_tells_its_life_in_order(desk):
    result = desk.ordered("buy", "1.00")
    assert [(e.number, e.exec_type, e.before, e.after) for e in result.events] == [
        (1, "0", "A", "0"),
        (2, "F", "0", "2"),
    ]
    (order,) = result.orders.values()
    assert (order.cum, order.leaves, order.notional) == (100, 0, 110_010 * 100)
    assert order.captured_at <= order.validated_at <= order.routed_at <= order.executed_at


def test_a_limit_rests_and_fills_when_the_ask_comes_down_to_it(desk):
    reply = desk.order("buy", "1.00", limit="1.09900")
    assert (reply.status, desk.positions()) == (OrdStatus.NEW, [])
    desk.quote("EURUSD", "1.09895", "1.09901")
    assert desk.positions() == []
    filled = desk.quote("EURUSD", "1.09885", "1.09895")
    assert [e.price for e in filled.executions] == [109_895]  # better than the limit
    assert reply.order not in desk.state.orders


def test_a_sell_limit_waits_for_the_bid(desk):
    desk.order("sell", "1.00", limit="1.10100")
    desk.quote("EURUSD", "1.10099", "1.10110")
    assert desk.positions() == []
    desk.quote("EURUSD", "1.10100", "1.10111")
    assert [p.cost for p in desk.positions()] == [110_100 * 100]


def test_resting_orders_of_one_symbol_fill_oldest_first(desk):
    orders = [
        desk.order("buy", "0.10", limit=price).order for price in ("1.09800", "1.09900", "1.09850")
    ]
    filled = desk.quote("EURUSD", "1.09700", "1.09710")
    assert [e.order for e in filled.executions] == orders


def test_a_limit_through_the_market_fills_at_the_market(desk):
    reply = desk.order("buy", "1.00", limit="1.10500")
    assert (reply.status, reply.notional) == (OrdStatus.FILLED, 110_010 * 100)


@pytest.mark.parametrize("tif", ["3", "4"])
def test_what_must_fill_now_or_never_is_cancelled(desk, tif):
    reply = desk.order("buy", "1.00", limit="1.09000", tif=tif)
    assert (reply.status, reply.code, reply.leaves) == (OrdStatus.CANCELED, "NOT_FILLABLE_NOW", 0)
    assert not desk.state.orders


def test_day_orders_expire_and_others_stay(desk):
    day = desk.order("buy", "0.10", limit="1.09000", tif="0")
    gtc = desk.order("buy", "0.10", limit="1.09000", tif="1")
    midnight = desk.later(20)
    young = desk.order("buy", "0.10", limit="1.09000", tif="0")
    result = desk.do(DayEnded(at=midnight))
    assert [(o.id, o.status, o.leaves) for o in result.orders.values()] == [(day.order, "C", 0)]
    assert list(desk.state.orders) == [gtc.order, young.order]


def test_a_resting_order_is_cancelled_once(desk):
    order = desk.order("buy", "0.10", limit="1.09000").order
    assert desk.cancel(order).reply.status == OrdStatus.CANCELED
    again = desk.cancel(order)
    assert (again.reply.ok, again.reply.code, again.effect) == (False, "TOO_LATE_TO_CANCEL", False)


def test_a_filled_order_is_too_late_to_cancel(desk):
    order = desk.order("buy", "0.10").order
    refused = desk.cancel(order)
    assert (refused.reply.code, refused.effect) == ("TOO_LATE_TO_CANCEL", False)
    assert len(desk.positions()) == 1


def test_nobody_cancels_the_order_of_another_account(desk):
    desk.account("bob", funds="100")
    order = desk.order("buy", "0.10", limit="1.09000").order
    refused = desk.cancel(order, account="bob")
    assert (refused.reply.code, refused.effect) == ("ORDER_UNKNOWN", False)
    assert desk.live(order).status == OrdStatus.NEW


def test_an_order_number_that_was_never_given_is_unknown(desk):
    assert desk.cancel(10**9).reply.code == "ORDER_UNKNOWN"


def test_a_resting_order_that_the_margin_no_longer_carries_is_cancelled_when_it_triggers(desk):
    resting = desk.order("buy", "5.00", limit="1.09000")
    desk.order("buy", "5.00")
    result = desk.quote("EURUSD", "1.08990", "1.09000")
    assert [(o.id, o.status, o.code) for o in result.orders.values()] == [
        (resting.order, OrdStatus.CANCELED, "FREE_MARGIN_TOO_LOW")
    ]
    assert len(desk.positions()) == 1


def test_a_resting_order_waits_behind_a_kill_switch(desk):
    order = desk.order("buy", "0.10", limit="1.09900").order
    desk.kill("symbol:EURUSD")
    desk.quote("EURUSD", "1.09800", "1.09810")
    assert desk.live(order).status == OrdStatus.NEW
    desk.kill("symbol:EURUSD", "OFF")
    desk.quote("EURUSD", "1.09800", "1.09811")
    assert order not in desk.state.orders
    assert len(desk.positions()) == 1


def test_hedging_keeps_both_sides_and_closes_by_number(desk):
    long = desk.order("buy", "1.00")
    short = desk.order("sell", "0.40")
    assert [(p.side, p.steps) for p in desk.positions()] == [(1, 100), (2, 40)]
    desk.order("sell", "0.30", position=long.position)
    desk.order("buy", "0.40", position=short.position)
    assert [(p.id, p.steps) for p in desk.positions()] == [(long.position, 70)]


def test_a_position_closed_in_parts_realises_the_whole_result(desk):
    held = desk.order("buy", "1.00")
    desk.quote("EURUSD", "1.10110", "1.10120")
    parts = [
        desk.ordered("sell", lots, position=held.position).executions[0].realized
        for lots in ("0.30", "0.70")
    ]
    assert parts == [30_00, 70_00]
    assert desk.money() == 10_100_00


def test_netting_adds_averages_reduces_and_flips():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10000")
    desk.account(funds="100000", leverage=100, mode="NETTING")
    desk.order("buy", "1.00")
    desk.quote("EURUSD", "1.10200", "1.10200")
    desk.order("buy", "1.00")
    (position,) = desk.positions()
    assert (position.steps, position.cost) == (200, 110_100 * 200)
    reduced = desk.ordered("sell", "0.50")
    assert [(e.entry, e.realized) for e in reduced.executions] == [("OUT", 50_00)]
    flipped = desk.ordered("sell", "2.00")
    assert [(e.entry, e.steps, e.realized) for e in flipped.executions] == [
        ("OUT", 150, 150_00),
        ("IN", 50, 0),
    ]
    (position,) = desk.positions()
    assert (position.side, position.steps, position.cost) == (2, 50, 110_200 * 50)


def test_in_netting_a_reduction_passes_where_an_opening_is_refused():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10000")
    desk.account(funds="10000", leverage=100, mode="NETTING")
    desk.order("buy", "1.00")
    desk.kill("firm")
    assert desk.order("sell", "1.01").code == "KILL_SWITCH"
    assert desk.order("sell", "1.00").ok
    assert desk.positions() == []


def test_funds_enter_once_per_key(desk):
    deposit = FundsApplied(at=desk.at, key="t1", account="ann", amount=500_00, reference="t1")
    assert desk.do(deposit).reply.ok
    again = desk.do(deposit)
    assert (again.reply.duplicate, again.effect) == (True, False)
    assert desk.money() == 10_500_00


def test_funds_leave_only_as_far_as_the_margin_allows(desk):
    desk.order("buy", "1.00")  # 1,100.10 margin, 10.00 spread
    refused = desk.reserve("8889.91")
    assert (refused.code, refused.values) == (
        "FREE_MARGIN_TOO_LOW",
        {"available": 8_889_90, "requested": 8_889_91},
    )
    assert desk.money() == 10_000_00
    assert desk.reserve("8889.90").ok
    assert desk.money() == 1_110_10


def test_a_reservation_that_was_refused_may_be_asked_again_and_one_that_was_granted_counts_once(
    desk,
):
    assert desk.reserve("10000.01", reference="w").code == "FREE_MARGIN_TOO_LOW"
    assert desk.reserve("100.00", reference="w").ok
    assert desk.reserve("100.00", reference="w").duplicate
    assert desk.money() == 9_900_00


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_nothing_and_less_cannot_be_reserved(desk, amount):
    assert desk.reserve(amount).code == "FREE_MARGIN_TOO_LOW"
    assert desk.money() == 10_000_00


def test_a_resting_close_waits_for_the_rate_that_its_result_needs(desk):
    """After a restart prices come one by one; the close needs two of them, and its own comes first."""
    desk.do(InstrumentChanged(at=desk.at, spec=instrument("EURGBP")))
    desk.account()
    desk.quote("GBPUSD", "1.25000", "1.25020")
    desk.quote("EURGBP", "0.88000", "0.88020")
    held = desk.order("buy", "1.00", "EURGBP")
    resting = desk.order("sell", "1.00", "EURGBP", limit="0.88500", position=held.position)
    before = desk.money()
    desk.do(Started(at=desk.later(), epoch=2))

    outcome = desk.quote("EURGBP", "0.88600", "0.88620")

    assert (outcome.executions, desk.money()) == ([], before)
    assert desk.live(resting.order).status == OrdStatus.NEW
    desk.quote("GBPUSD", "1.25000", "1.25020")
    desk.quote("EURGBP", "0.88600", "0.88620")
    assert desk.positions() == []
    # sold at 0.88600 after 0.88020: 580.00 GBP, sold for dollars at the bid
    assert desk.money() - before == 72500
