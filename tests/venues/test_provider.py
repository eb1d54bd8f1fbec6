"""How the three providers decide, without a line in between."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.orders.adapters.venues.provider import PROFILES, LiquidityProvider, Prices, Profile
from apps.orders.adapters.venues.wire import CancelOrder, NewOrder, StatusRequest
from tests.venues.conftest import FAST, MARKET, SPECS


def provider(profile: Profile = FAST, prices=MARKET.get) -> LiquidityProvider:
    return LiquidityProvider(profile, SPECS, prices)


def order(**changes: object) -> NewOrder:
    values = {"cl_ord_id": "C1", "symbol": "EUR/USD", "side": 1, "quantity": "100000"}
    return NewOrder(**{**values, **changes})  # type: ignore[arg-type]


def said(timed) -> list[tuple[str, str, str, str]]:
    return [(r.kind, r.last_qty, r.last_px, r.cum_qty) for _delay, r in timed]


def test_a_market_order_is_acknowledged_and_filled_at_the_offer():
    assert said(provider().new(order(), 1)) == [
        ("ACKNOWLEDGED", "0", "0", "0"),
        ("FILL", "100000", "1.08508", "100000"),
    ]
    assert said(provider().new(order(side=2), 1))[-1] == ("FILL", "100000", "1.08500", "100000")


def test_bravo_is_a_tick_wider_and_fills_in_clips():
    bravo = provider(PROFILES["LP_BRAVO"])

    fills = said(bravo.new(order(quantity="1200000"), 1))[1:]

    assert fills == [
        ("FILL", "500000", "1.08509", "500000"),
        ("FILL", "500000", "1.08509", "1000000"),
        ("FILL", "200000", "1.08509", "1200000"),
    ]


def test_a_limit_that_the_market_does_not_reach_is_cancelled_unfilled():
    assert said(provider().new(order(price="1.08507"), 1)) == [
        ("ACKNOWLEDGED", "0", "0", "0"),
        ("CANCELED", "0", "0", "0"),
    ]
    assert said(provider().new(order(price="1.08508"), 1))[-1][0] == "FILL"
    assert said(provider().new(order(side=2, price="1.08501"), 1))[-1][0] == "CANCELED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "EURUSD"}, "UNKNOWN_SYMBOL"),
        ({"quantity": "100500"}, "INCORRECT_QUANTITY"),
        ({"quantity": "0"}, "INCORRECT_QUANTITY"),
    ],
)
def test_a_wrong_order_is_rejected_with_its_reason(changes, code):
    reports = provider().new(order(**changes), 1)

    assert [(r.kind, r.code, r.cum_qty) for _d, r in reports] == [("REJECTED", code, "0")]


def test_without_a_price_nothing_is_filled():
    reports = provider(prices=lambda symbol: None).new(order(), 1)

    assert [(r.kind, r.code) for _d, r in reports] == [("REJECTED", "NO_PRICE")]


def test_the_same_id_again_repeats_the_reports_and_never_trades_again():
    alpha = provider()
    first = alpha.new(order(), 1)
    alpha.prices = {"EUR/USD": Prices(Decimal("1.2"), Decimal("1.3"))}.get

    again = alpha.new(order(quantity="500000"), 2)

    assert [t.report for t in again] == [t.report for t in first]
    assert [t.report for t in alpha.status(StatusRequest(cl_ord_id="C1"), 3)] == [
        t.report for t in first
    ]


def test_an_order_that_was_declared_unknown_can_no_longer_arrive():
    alpha = provider()

    assert said(alpha.status(StatusRequest(cl_ord_id="C1"), 1))[0][0] == "NOT_FOUND"
    assert alpha.new(order(), 2) == []
    assert alpha.orders == {}


def test_a_cancel_after_the_fill_is_too_late():
    alpha = provider()
    alpha.new(order(), 1)

    answer = alpha.cancel(CancelOrder(cl_ord_id="C1"), 2)

    assert (answer[0].report.kind, answer[0].report.code) == ("CANCEL_REJECTED", "TOO_LATE")
    assert alpha.cancel(CancelOrder(cl_ord_id="C2"), 2)[0].report.kind == "NOT_FOUND"


def test_a_partial_fill_ends_with_what_it_filled_and_fill_or_kill_fills_nothing():
    alpha = provider()
    alpha.faults.set({"partial": 2, "partial_share": 0.37})

    partly = said(alpha.new(order(), 1))
    killed = said(alpha.new(order(cl_ord_id="C2", tif="4"), 1))

    assert partly[1:] == [
        ("FILL", "37000", "1.08508", "37000"),
        ("CANCELED", "0", "0", "37000"),
    ]
    assert killed[1:] == [("CANCELED", "0", "0", "0")]


def test_faults_are_counted_down_and_unknown_ones_refused():
    alpha = provider()
    alpha.faults.set({"reject": 1, "last_look": 1})

    assert said(alpha.new(order(), 1))[-1][0] == "REJECTED"
    looked = alpha.new(order(cl_ord_id="C2"), 1)
    assert [(r.kind, r.code) for _d, r in looked][-1] == ("REJECTED", "LAST_LOOK")
    assert said(alpha.new(order(cl_ord_id="C3"), 1))[-1][0] == "FILL"
    with pytest.raises(ValueError, match="there is no fault earthquake"):
        alpha.faults.set({"earthquake": 1})
    with pytest.raises(ValueError, match="there is no fault reject"):
        alpha.faults.set({"reject": "yes"})
    assert alpha.faults.reject == 0
