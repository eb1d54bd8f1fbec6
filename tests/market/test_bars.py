"""Bars: minutes from ticks, longer ones from minutes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.market.bars import MINUTE_US, Bar, MinuteBuilder, aggregate, bar_start, merge

PRICES = st.integers(1, 10**6)
TICKS = st.lists(st.tuples(PRICES, st.integers(0, 50), st.integers(0, 90_000_000)), min_size=1)


def minutes(ticks: list[tuple[int, int, int]]) -> list[Bar]:
    builder = MinuteBuilder()
    now, done = 0, []
    for bid, spread, later in ticks:
        now += later
        finished = builder.add("EURUSD", bid, bid + spread, now)
        done += [finished] if finished else []
    return done + [bar for _symbol, bar in builder.finish()]


def test_a_minute_is_handed_out_when_the_next_one_begins():
    builder = MinuteBuilder()

    assert builder.add("EURUSD", 108_500, 108_508, 0) is None
    assert builder.add("EURUSD", 108_520, 108_530, 30_000_000) is None
    assert builder.add("EURUSD", 108_490, 108_497, 59_999_999) is None
    finished = builder.add("EURUSD", 108_495, 108_500, MINUTE_US)

    assert finished == Bar(0, 108_500, 108_520, 108_490, 108_490, 7, 10, 3)
    assert builder.finish(before_us=2 * MINUTE_US - 1) == []
    assert builder.finish(before_us=2 * MINUTE_US) == [
        ("EURUSD", Bar(MINUTE_US, 108_495, 108_495, 108_495, 108_495, 5, 5, 1))
    ]


def test_an_hour_is_merged_from_its_minutes_and_an_empty_hour_is_absent():
    hour = 60 * MINUTE_US
    bars = [
        Bar(hour, 10, 12, 9, 11, 1, 2, 5),
        Bar(hour + 59 * MINUTE_US, 11, 15, 8, 9, 2, 4, 7),
        Bar(3 * hour, 9, 9, 9, 9, 3, 3, 1),
    ]

    assert list(aggregate(bars, "H1")) == [
        Bar(hour, 10, 15, 8, 9, 1, 4, 12),
        Bar(3 * hour, 9, 9, 9, 9, 3, 3, 1),
    ]


@given(TICKS)
def test_bars_hold_every_tick_and_no_price_that_was_not_there(ticks: list[tuple[int, int, int]]):
    bars = minutes(ticks)

    assert sum(bar.ticks for bar in bars) == len(ticks)
    assert max(bar.high for bar in bars) == max(bid for bid, _s, _t in ticks)
    assert min(bar.low for bar in bars) == min(bid for bid, _s, _t in ticks)
    assert bars[0].open == ticks[0][0]
    assert bars[-1].close == ticks[-1][0]
    assert all(bar.low <= min(bar.open, bar.close) for bar in bars)
    assert [b.start_us for b in bars] == sorted({bar_start(b.start_us, "M1") for b in bars})


@given(TICKS)
def test_merging_in_two_steps_gives_what_one_step_gives(ticks: list[tuple[int, int, int]]):
    bars = minutes(ticks)

    assert list(aggregate(aggregate(bars, "M5"), "H1")) == list(aggregate(bars, "H1"))


@given(TICKS, st.integers(0, 100))
def test_a_bar_may_be_stored_in_two_pieces(ticks: list[tuple[int, int, int]], cut: int):
    pieces = [Bar(0, bid, bid, bid, bid, s, s, 1) for bid, s, _t in ticks]
    cut = min(cut, len(pieces) - 1)

    def whole(parts: list[Bar]) -> Bar:
        result = parts[0]
        for part in parts[1:]:
            result = merge(result, part)
        return result

    halves = [whole(part) for part in (pieces[:cut], pieces[cut:]) if part]
    assert whole(halves) == whole(pieces)
