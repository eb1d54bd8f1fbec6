"""Exposure to the cent, against worked examples, and its laws on any set of positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.calculations import (
    BUY,
    Cell,
    CellKey,
    Mark,
    PositionBook,
    Terms,
    apply_changes,
    changes,
    exposure_report,
    percentile,
)

SELL = 2
TERMS = {
    "EURUSD": Terms("EURUSD", "FX", "EUR", "USD", 5, 0.01, 100_000),
    "GBPUSD": Terms("GBPUSD", "FX", "GBP", "USD", 5, 0.01, 100_000),
    "USDJPY": Terms("USDJPY", "FX", "USD", "JPY", 3, 0.01, 100_000),
    "XAUUSD": Terms("XAUUSD", "METAL", "XAU", "USD", 2, 0.01, 100),
    "US500": Terms("US500", "INDEX", "US500", "USD", 2, 0.1, 1),
}
MARKS = {
    "EURUSD": Mark(110_250, 110_260, 1.0),
    "GBPUSD": Mark(125_000, 125_020, 1.0),
    "USDJPY": Mark(150_000, 150_010, 1 / 150.005),
    "XAUUSD": Mark(200_000, 200_030, 1.0),
    "US500": Mark(520_000, 520_050, 1.0),
}


def book(*positions: tuple) -> PositionBook:
    """Positions as (entity, book, symbol, side, lots in steps, open price in points)."""
    held = PositionBook(capacity=2)
    for number, (entity, house, symbol, side, steps, price) in enumerate(positions):
        key = CellKey(entity, house, symbol)
        held.put(number, key, side=side, steps=steps, cost=steps * price)
    return held


def test_a_long_is_marked_at_the_bid_as_in_the_worked_example():
    cells = book(("EU", "B", "EURUSD", BUY, 150, 110_000)).cells(TERMS, MARKS)

    assert cells[CellKey("EU", "B", "EURUSD")].pnl == pytest.approx(375.00)


def test_a_short_is_marked_at_the_ask():
    cells = book(("EU", "B", "EURUSD", SELL, 100, 110_300)).cells(TERMS, MARKS)

    assert cells[CellKey("EU", "B", "EURUSD")].pnl == pytest.approx(40.00)


def test_value_is_lots_times_contract_times_middle_in_the_reporting_currency():
    cells = book(
        ("EU", "B", "EURUSD", BUY, 100, 110_000),
        ("EU", "B", "USDJPY", SELL, 50, 150_005),
        ("EU", "B", "XAUUSD", BUY, 30, 200_000),
    ).cells(TERMS, MARKS)

    assert cells[CellKey("EU", "B", "EURUSD")] == Cell(
        1, 1.0, 0.0, pytest.approx(110_255), 0.0, pytest.approx(250)
    )
    assert cells[CellKey("EU", "B", "USDJPY")].short_value == pytest.approx(50_000)
    assert cells[CellKey("EU", "B", "USDJPY")].pnl == pytest.approx(-1.6666, abs=1e-3)
    assert cells[CellKey("EU", "B", "XAUUSD")].long_value == pytest.approx(60_004.5)


def report(held: PositionBook, hedges=None, marks=MARKS, entities=None):
    return exposure_report(held.cells(TERMS, marks), hedges or {}, TERMS, marks, entities)


def test_a_pair_is_decomposed_into_its_currencies():
    views = report(book(("EU", "B", "EURUSD", BUY, 100, 1), ("EU", "B", "USDJPY", BUY, 100, 1)))

    assert views["currencies"]["EUR"]["net"] == 110_255.0
    assert views["currencies"]["JPY"]["net"] == -100_000.0
    assert views["currencies"]["USD"] == {
        "long": 100_000.0,
        "short": 110_255.0,
        "net": -10_255.0,
        "gross": 210_255.0,
    }


def test_an_index_has_no_currency_of_its_own():
    views = report(book(("EU", "B", "US500", BUY, 10, 1)))

    assert views["currencies"] == {}
    assert views["asset_classes"]["INDEX"]["net"] == 5_200.25


def test_the_house_has_the_other_side_of_its_own_book_only():
    views = report(
        book(("EU", "B", "EURUSD", BUY, 150, 110_000), ("EU", "A", "EURUSD", BUY, 100, 110_000))
    )

    assert views["total"]["all"]["pnl"] == 625.0
    assert views["total"]["all"]["house_pnl"] == -375.0
    assert views["books"]["A"]["house_pnl"] == 0.0


def test_the_gap_is_what_was_passed_on_and_is_not_covered():
    held = book(
        ("EU", "A", "EURUSD", BUY, 300, 1),
        ("EU", "A", "EURUSD", SELL, 50, 1),
        ("EU", "B", "EURUSD", BUY, 100, 1),
    )

    row = report(held, {("EU", "EURUSD"): 2.0})["symbols"]["EURUSD"]

    assert (row["long_lots"], row["short_lots"], row["net_lots"]) == (4.0, 0.5, 3.5)
    assert (row["passed_on_lots"], row["hedge_lots"], row["gap_lots"]) == (2.5, 2.0, 0.5)
    assert row["house_lots"] == -1.0


def test_a_hedge_without_a_client_is_seen():
    row = report(book(), {("EU", "EURUSD"): 2.0})["symbols"]["EURUSD"]

    assert (row["positions"], row["gap_lots"]) == (0, -2.0)


def test_without_a_price_lots_are_counted_and_money_is_not_invented():
    marks = {k: v for k, v in MARKS.items() if k != "EURUSD"}

    row = report(book(("EU", "B", "EURUSD", BUY, 100, 110_000)), marks=marks)["symbols"]["EURUSD"]

    assert (row["priced"], row["net_lots"], row["net"], row["pnl"]) == (False, 1.0, 0.0, 0.0)


def test_a_person_of_one_entity_sees_that_entity():
    held = book(("EU", "B", "EURUSD", BUY, 100, 1), ("INT", "B", "EURUSD", BUY, 300, 1))
    hedges = {("EU", "EURUSD"): 1.0, ("INT", "EURUSD"): 5.0}

    views = report(held, hedges, entities=frozenset({"EU"}))

    assert set(views["entities"]) == {"EU"}
    assert views["symbols"]["EURUSD"]["net_lots"] == 1.0
    assert views["symbols"]["EURUSD"]["hedge_lots"] == 1.0


def test_an_empty_house_has_zeros_and_no_rows():
    views = report(book())

    assert views["symbols"] == {}
    assert views["total"]["all"]["gross"] == 0


def test_a_closed_position_is_gone_and_its_row_is_used_again():
    held = book(("EU", "B", "EURUSD", BUY, 100, 1), ("EU", "B", "GBPUSD", BUY, 100, 1))

    held.put(0, CellKey("EU", "B", "EURUSD"), side=BUY, steps=0, cost=0)
    held.put(7, CellKey("EU", "B", "XAUUSD"), side=SELL, steps=5, cost=5)
    held.drop(99)

    assert held.numbers() == {1, 7}
    assert set(held.cells(TERMS, MARKS)) == {
        CellKey("EU", "B", "GBPUSD"),
        CellKey("EU", "B", "XAUUSD"),
    }


def test_percentiles_are_the_nearest_rank():
    assert percentile([], 0.5) is None
    assert percentile([5.0], 0.95) == 5.0
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([3, 1, 2], 0.5) == 2


POSITION = st.tuples(
    st.sampled_from(["EU", "INT"]),
    st.sampled_from(["A", "B"]),
    st.sampled_from(sorted(TERMS)),
    st.sampled_from([BUY, SELL]),
    st.integers(1, 5_000),
    st.integers(90_000, 160_000),
)
POSITIONS = st.lists(POSITION, max_size=30)
# Figures are shown to the cent: half a cent, and the last digit of a sum of floats.
ROUNDING = 0.005 + 1e-6


def by_hand(position: tuple) -> tuple[float, float]:
    """One position's signed value and P/L, computed the slow way."""
    _entity, _book, symbol, side, steps, price = position
    terms, mark = TERMS[symbol], MARKS[symbol]
    unit = terms.contract_size * terms.lot_step * steps * mark.rate / 10**terms.digits
    sign = 1 if side == BUY else -1
    close = mark.bid if side == BUY else mark.ask
    return sign * (mark.bid + mark.ask) / 2 * unit, sign * (close - price) * unit


@given(POSITIONS)
def test_exposure_is_the_sum_of_the_positions(positions: list[tuple]):
    views = report(book(*positions))
    net = sum(by_hand(p)[0] for p in positions)
    pnl = sum(by_hand(p)[1] for p in positions)

    assert views["total"]["all"]["net"] == pytest.approx(net, abs=ROUNDING)
    assert views["total"]["all"]["pnl"] == pytest.approx(pnl, abs=ROUNDING)
    for view in ("symbols", "asset_classes", "books", "entities"):
        rows = views[view].values()
        assert sum(row["net"] for row in rows) == pytest.approx(net, abs=ROUNDING * len(rows))
        assert sum(row["positions"] for row in views[view].values()) == len(positions)


@given(POSITIONS)
def test_what_entities_see_adds_up_to_the_house(positions: list[tuple]):
    held = book(*positions)
    parts = [report(held, entities=frozenset({name})) for name in ("EU", "INT")]

    whole = report(held)["total"]["all"]
    for figure in ("net", "gross", "pnl", "house_pnl"):
        seen = sum(part["total"]["all"][figure] for part in parts)
        assert seen == pytest.approx(whole[figure], abs=0.03)


@given(st.lists(POSITIONS, min_size=1, max_size=5))
def test_a_snapshot_and_its_deltas_are_a_fresh_snapshot(moments: list[list[tuple]]):
    page = before = report(book())
    for positions in moments:
        after = report(book(*positions), {("EU", "EURUSD"): float(len(positions))})
        page = apply_changes(page, changes(before, after))
        before = after

    assert page == after
    assert changes(after, after) == {}


@given(POSITIONS, POSITIONS)
def test_positions_may_arrive_as_deltas_or_all_at_once(first: list[tuple], then: list[tuple]):
    live = book(*first)
    for number, (entity, house, symbol, side, steps, price) in enumerate(then):
        key = CellKey(entity, house, symbol)
        live.put(number, key, side=side, steps=steps, cost=steps * price)
    for number in range(len(then), len(first)):
        live.drop(number)

    arrived, fresh = report(live), report(book(*then))
    assert {view: set(rows) for view, rows in arrived.items()} == {
        view: set(rows) for view, rows in fresh.items()
    }
    for view, rows in fresh.items():
        for key, row in rows.items():
            assert arrived[view][key] == pytest.approx(row, abs=2 * ROUNDING)
