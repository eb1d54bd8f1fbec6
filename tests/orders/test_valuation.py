"""Worked examples of profit, margin and conversion, to the cent."""

from __future__ import annotations

import pytest

from apps.orders.engine.errors import RateMissing
from apps.orders.engine.valuation import (
    conversion_path,
    equity_of,
    round_half_even,
    used_margin_of,
    withdrawable_of,
)
from tests.orders.desk import Desk


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10000")
    desk.quote("GBPUSD", "1.25000", "1.25020")
    desk.quote("USDJPY", "150.000", "150.010")
    desk.quote("XAUUSD", "2000.00", "2000.00")
    return desk


def test_one_and_a_half_lots_of_eurusd_gain_375_dollars(desk):
    desk.account(funds="10000", leverage=100)
    reply = desk.order("buy", "1.50")
    desk.quote("EURUSD", "1.10250", "1.10260")
    closed = desk.ordered("sell", "1.50", position=reply.position)
    assert [deal.realized for deal in closed.executions] == [375_00]
    assert desk.money() == 10_375_00


def test_a_gain_is_bought_at_ask_and_a_loss_paid_at_bid_on_an_account_in_pounds(desk):
    desk.account(funds="100000", currency="GBP", leverage=100)
    winning = desk.order("buy", "1.50")
    desk.quote("EURUSD", "1.10250", "1.10260")
    won = desk.ordered("sell", "1.50", position=winning.position)
    assert won.executions[0].realized == 299_95  # 375.00 / 1.2502
    desk.quote("EURUSD", "1.10000", "1.10000")
    losing = desk.order("buy", "1.50")
    desk.quote("EURUSD", "1.09750", "1.09760")
    lost = desk.ordered("sell", "1.50", position=losing.position)
    assert lost.executions[0].realized == -300_00  # 375.00 / 1.2500


def test_margin_of_one_lot_gbpusd_at_thirty(desk):
    desk.quote("GBPUSD", "1.25000", "1.25000")
    account = desk.account(funds="10000", leverage=30)
    desk.order("buy", "1.00", "GBPUSD")
    assert used_margin_of(desk.state, account) == 4_166_67


def test_margin_of_gold_uses_the_lower_cap_of_its_class(desk):
    account = desk.account(
        funds="10000", leverage=30, leverage_caps=(("FX_MAJOR", 30), ("GOLD", 20))
    )
    desk.order("buy", "0.30", "XAUUSD")
    assert used_margin_of(desk.state, account) == 3_000_00


def test_a_class_that_the_jurisdiction_leaves_out_has_no_leverage(desk):
    account = desk.account(funds="100000", leverage=30, leverage_caps=(("FX_MAJOR", 30),))
    desk.order("buy", "0.30", "XAUUSD")
    assert used_margin_of(desk.state, account) == 60_000_00


def test_hedged_legs_cost_the_larger_one(desk):
    account = desk.account(funds="10000", leverage=30)
    desk.order("buy", "1.00")
    desk.order("sell", "0.40")
    assert used_margin_of(desk.state, account) == 3_666_67  # 1.00 lot at 1.10 ÷ 30


def test_profit_in_yen_has_no_cents_on_the_way(desk):
    desk.account(funds="10000", leverage=100)
    reply = desk.order("buy", "1.00", "USDJPY")
    desk.quote("USDJPY", "150.510", "150.520")
    closed = desk.ordered("sell", "1.00", "USDJPY", position=reply.position)
    # 0.500 × 100,000 = 50,000 JPY, sold for dollars at the ask 150.520
    assert closed.executions[0].realized == 332_18


def test_equity_is_balance_and_floating(desk):
    account = desk.account(funds="10000", leverage=100)
    desk.order("buy", "1.00")
    desk.order("sell", "0.50")
    desk.quote("EURUSD", "1.10100", "1.10120")
    assert equity_of(desk.state, account) == 10_000_00 + 100_00 - 60_00


def test_what_may_leave_is_the_smaller_of_balance_and_free_margin(desk):
    account = desk.account(funds="10000", leverage=100)
    assert withdrawable_of(desk.state, account) == 10_000_00
    desk.order("buy", "1.00")
    assert withdrawable_of(desk.state, account) == 8_900_00
    desk.quote("EURUSD", "1.15000", "1.15010")
    assert withdrawable_of(desk.state, account) == 10_000_00  # profit that floats does not leave
    desk.quote("EURUSD", "1.00000", "1.00010")
    assert withdrawable_of(desk.state, account) == 0


@pytest.mark.parametrize(
    ("num", "den", "rounded"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (10, 3, 3),
        (11, 3, 4),
        (-10, 3, -3),
        (0, 7, 0),
    ],
)
def test_halves_go_to_the_even_neighbour(num, den, rounded):
    assert round_half_even(num, den) == rounded


def test_conversion_goes_the_shortest_way_and_says_when_there_is_none(desk):
    assert conversion_path(desk.state, "JPY", "GBP") == (("USDJPY", False), ("GBPUSD", False))
    assert conversion_path(desk.state, "JPY", "CHF") is None
    desk.account("bob", currency="GBP", funds="100000")
    del desk.state.quotes["GBPUSD"]
    desk.state.accounts["bob"].hold(1, "EURUSD", 1, 110_000)
    with pytest.raises(RateMissing):
        equity_of(desk.state, desk.state.accounts["bob"])


def test_commission_of_partial_fills_sums_to_the_commission_of_the_whole():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    account = desk.account(funds="100000", leverage=100, commission_minor=333, book="A")
    reply = desk.order("buy", "1.00")
    child = next(iter(desk.state.children))
    fills = [33, 33, 34]
    paid = 0
    for steps in fills:
        result = desk.report("FILL", child, steps=steps, price=110_010)
        paid += sum(deal.commission for deal in result.executions)
    assert paid == 333
    assert account.balance == 100_000_00 - 333
    assert desk.results[-1].reply.status == "2"
    assert reply.status == "0"
