"""Pre-trade checks: each refusal by its code, with every failing check, and nothing else changed."""

from __future__ import annotations

import pytest

from apps.orders.engine.commands import AccountSet, AccountSpec, InstrumentChanged
from apps.orders.engine.fix import OrdStatus
from tests.orders.desk import START, Desk, instrument


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account(funds="10000", leverage=30)
    return desk


def changed(desk: Desk, **spec: object) -> None:
    """The account's terms change."""
    current = desk.state.accounts["ann"].spec
    values = {name: getattr(current, name) for name in current.__struct_fields__} | spec
    desk.do(AccountSet(at=desk.at, spec=AccountSpec(**values)))


def books(desk: Desk) -> tuple:
    """What a refusal must not touch."""
    account = desk.state.accounts["ann"]
    return (
        account.balance,
        sorted(account.positions),
        sorted(account.orders),
        sorted(desk.state.orders),
        {s: (leg.long_cost, leg.short_cost) for s, leg in account.legs.items()},
        sorted(desk.state.children),
    )


def refused(desk: Desk, *codes: str, side: str = "buy", lots: str = "0.10", **fields: object):
    before = books(desk)
    result = desk.ordered(side, lots, **fields)
    assert (result.reply.ok, result.reply.status) == (False, OrdStatus.REJECTED)
    assert result.reply.code == codes[0]
    assert result.reply.failing == codes
    assert books(desk) == before
    assert not result.executions
    assert [event.exec_type for event in result.events] == ["8"]
    assert len(result.orders) == 1
    return result


def test_an_order_that_passes_shows_every_check(desk):
    result = desk.ordered("buy", "0.10")
    (order,) = result.orders.values()
    assert order.status == OrdStatus.FILLED
    assert [name for name, passed, _ in order.checks if passed] == [
        "kill_switch",
        "account",
        "restrictions",
        "instrument",
        "session",
        "quote",
        "conversion",
        "form",
        "quantity",
        "position",
        "rate",
        "collar",
        "fat_finger",
        "notional",
        "margin",
    ]


@pytest.mark.parametrize(
    "scope",
    [
        "firm",
        "entity:EU",
        "group:vip",
        "client:client-ann",
        "account:ann",
        "symbol:EURUSD",
        "book:B",
    ],
)
def test_a_kill_switch_stops_new_orders_at_its_level_and_no_other(desk, scope):
    changed(desk, entity="EU", group="vip")
    desk.kill(scope + "-other")
    assert desk.order("buy", "0.10").ok
    desk.kill(scope)
    refused(desk, "KILL_SWITCH")
    desk.kill(scope, "OFF")
    assert desk.order("buy", "0.10").ok


def test_under_a_kill_switch_positions_close_and_orders_cancel(desk):
    held = desk.order("buy", "0.10")
    resting = desk.order("buy", "0.10", limit="1.09000")
    desk.kill("firm")
    assert desk.order("sell", "0.10", position=held.position).ok
    assert desk.cancel(resting.order).reply.status == OrdStatus.CANCELED
    assert desk.positions() == []


@pytest.mark.parametrize(
    ("status", "code"),
    [("CLOSE_ONLY", "ACCOUNT_CLOSE_ONLY"), ("READ_ONLY", "ACCOUNT_NOT_ACTIVE")],
)
def test_an_account_that_may_not_open_is_refused(desk, status, code):
    changed(desk, status=status)
    refused(desk, code)


def test_a_close_only_account_closes(desk):
    held = desk.order("buy", "0.10")
    changed(desk, status="CLOSE_ONLY")
    assert desk.order("sell", "0.10", position=held.position).ok


def test_a_restricted_client_is_refused_and_may_reduce(desk):
    held = desk.order("buy", "0.10")
    changed(desk, restrictions=("no_trading",))
    refused(desk, "CLIENT_RESTRICTED")
    assert desk.order("sell", "0.10", position=held.position).ok


def test_a_restriction_on_withdrawals_does_not_stop_trading(desk):
    changed(desk, restrictions=("no_withdrawal",))
    assert desk.order("buy", "0.10").ok


@pytest.mark.parametrize(
    ("status", "code"),
    [("HALTED", "INSTRUMENT_NOT_TRADABLE"), ("CLOSE_ONLY", "INSTRUMENT_CLOSE_ONLY")],
)
def test_an_instrument_that_is_not_tradable_is_refused(desk, status, code):
    desk.do(InstrumentChanged(at=desk.at, spec=instrument("EURUSD", status=status)))
    refused(desk, code)


def test_an_unknown_instrument_is_refused(desk):
    result = desk.ordered("buy", "0.10", "NOSUCH")
    assert result.reply.code == "INSTRUMENT_UNKNOWN"
    assert result.reply.status == OrdStatus.REJECTED


def test_a_closed_market_is_refused_at_the_closing_instant_and_open_just_before(desk):
    closes = START + 10_000_000
    spec = instrument("EURUSD", sessions=((START - 1, closes),))
    desk.do(InstrumentChanged(at=desk.at, spec=spec))
    desk.at = closes - 200_001
    assert desk.order("buy", "0.10").ok
    desk.at = closes - 200_000
    refused(desk, "MARKET_CLOSED")


def test_without_a_quote_nothing_trades(desk):
    refused(desk, "QUOTE_MISSING", symbol="GBPUSD")


def test_a_quote_older_than_the_limit_is_stale(desk):
    limit = desk.state.policy.quote_max_age_us / 1_000_000
    desk.later(limit - 0.2)
    assert desk.order("buy", "0.10").ok
    refused(desk, "QUOTE_STALE")


def test_without_a_conversion_rate_nothing_trades(desk):
    desk.account("bob", currency="GBP", funds="10000")
    result = desk.ordered("buy", "0.10", account="bob")
    assert result.reply.code == "CONVERSION_RATE_MISSING"
    assert not result.executions


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        (0, "QUANTITY_INVALID"),
        (-5, "QUANTITY_INVALID"),
        (1, "QUANTITY_TOO_SMALL"),
        (501, "QUANTITY_TOO_LARGE"),
    ],
)
def test_the_quantity_must_lie_within_the_instrument_s_limits(desk, steps, code):
    spec = instrument("EURUSD", min_steps=2, max_steps=500)
    desk.do(InstrumentChanged(at=desk.at, spec=spec))
    changed(desk, leverage=30_000)
    refused(desk, code, lots=str(steps / 100))


def test_a_limit_must_be_on_the_tick_and_a_market_order_has_none(desk):
    desk.do(InstrumentChanged(at=desk.at, spec=instrument("EURUSD", tick_points=5)))
    refused(desk, "PRICE_INVALID", limit="1.09003")
    refused(desk, "PRICE_INVALID", limit="0")
    refused(desk, "PRICE_INVALID", price=110_000)
    assert desk.order("buy", "0.10", limit="1.09005").ok


@pytest.mark.parametrize("fields", [{"order_type": "9"}, {"tif": "7"}, {"order_type": "3"}])
def test_an_order_that_the_engine_cannot_execute_is_refused(desk, fields):
    refused(desk, "UNSUPPORTED_ORDER", **fields)


def test_the_same_id_with_the_same_content_gets_the_first_answer(desk):
    first = desk.ordered("buy", "0.10", client_order_id="mine")
    before = books(desk)
    again = desk.ordered("buy", "0.10", client_order_id="mine")
    assert (again.reply.ok, again.reply.duplicate, again.reply.order) == (
        True,
        True,
        first.reply.order,
    )
    assert books(desk) == before
    assert not again.effect


def test_the_same_id_with_other_content_is_refused(desk):
    first = desk.ordered("buy", "0.10", client_order_id="mine")
    before = books(desk)
    other = desk.ordered("buy", "0.20", client_order_id="mine")
    assert (other.reply.ok, other.reply.code) == (False, "DUPLICATE_CLIENT_ORDER_ID")
    assert other.reply.values == {"order": first.reply.order}
    assert books(desk) == before
    assert not other.effect


def test_the_same_id_of_another_account_is_another_order(desk):
    desk.account("bob", funds="10000")
    first = desk.order("buy", "0.10", client_order_id="mine")
    second = desk.order("buy", "0.10", client_order_id="mine", account="bob")
    assert second.ok
    assert second.order != first.order


def test_more_orders_in_a_second_than_allowed_are_refused_and_the_next_second_is_fresh(desk):
    changed(desk, orders_per_second=2)
    desk.at = (desk.at // 1_000_000 + 1) * 1_000_000
    assert desk.order("buy", "0.01").ok
    assert desk.order("buy", "0.01").ok
    refused(desk, "ORDER_RATE_EXCEEDED", lots="0.01")
    desk.at = (desk.at // 1_000_000 + 1) * 1_000_000
    assert desk.order("buy", "0.01").ok


def test_a_limit_far_through_the_market_is_refused_on_both_sides(desk):
    assert desk.order("buy", "0.01", limit="1.15510").ok  # 5.00 % through the ask
    refused(desk, "PRICE_OUTSIDE_COLLAR", limit="1.15511")
    refused(desk, "PRICE_OUTSIDE_COLLAR", side="sell", limit="1.04499")


def test_a_limit_far_behind_the_market_may_rest(desk):
    assert desk.order("buy", "0.01", limit="0.50000").status == OrdStatus.NEW


def test_a_size_that_looks_like_a_slip_is_refused(desk):
    desk.do(InstrumentChanged(at=desk.at, spec=instrument("EURUSD", fat_finger_steps=20)))
    assert desk.order("buy", "0.20").ok
    refused(desk, "SIZE_FAT_FINGER", lots="0.21")


def test_a_notional_above_the_cap_is_refused(desk):
    changed(desk, notional_cap_minor=11_001_00)  # 0.10 lot at 1.1001
    assert desk.order("buy", "0.10").ok
    refused(desk, "NOTIONAL_TOO_LARGE", lots="0.11")


def test_free_margin_after_the_worst_fill_decides_to_the_cent():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    # one lot: 110,010 ÷ 30 = 3,667.00 margin and 10.00 of spread
    desk.account("ann", funds="3676.99")
    refused(desk, "FREE_MARGIN_TOO_LOW", lots="1.00")
    desk.account("rich", funds="3677.00")
    assert desk.order("buy", "1.00", account="rich").ok


def test_commission_counts_towards_the_margin_needed():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account("ann", funds="3677.00", commission_minor=1)
    refused(desk, "FREE_MARGIN_TOO_LOW", lots="1.00")


def test_a_hedge_needs_no_further_margin_even_without_free_margin(desk):
    desk.order("buy", "2.50")
    desk.quote("EURUSD", "1.06500", "1.06510")
    assert desk.order("buy", "0.10").code == "FREE_MARGIN_TOO_LOW"
    assert desk.order("sell", "1.00").ok


def test_a_position_that_is_not_there_cannot_be_closed(desk):
    held = desk.order("buy", "0.10")
    refused(desk, "POSITION_UNKNOWN", side="sell", position=held.position + 99)
    refused(desk, "POSITION_UNKNOWN", side="buy", position=held.position)
    refused(desk, "CLOSE_EXCEEDS_POSITION", side="sell", lots="0.11", position=held.position)


def test_all_failing_checks_are_recorded_and_the_first_decides(desk):
    desk.kill("symbol:EURUSD")
    changed(desk, status="READ_ONLY", notional_cap_minor=1)
    result = refused(
        desk,
        "KILL_SWITCH",
        "ACCOUNT_NOT_ACTIVE",
        "NOTIONAL_TOO_LARGE",
        "FREE_MARGIN_TOO_LOW",
        lots="90.00",
    )
    (order,) = result.orders.values()
    assert [name for name, passed, _ in order.checks if not passed] == [
        "kill_switch",
        "account",
        "notional",
        "margin",
    ]


def test_an_order_for_an_unknown_account_leaves_nothing(desk):
    result = desk.ordered("buy", "0.10", account="nobody")
    assert result.reply.code == "ACCOUNT_UNKNOWN"
    assert not result.effect
