"""Ticks that never become prices."""

from __future__ import annotations

from apps.market.filters import Refusal, TickFilter

SECOND = 1_000_000


def test_a_one_sided_a_crossed_and_a_late_tick_are_refused_and_counted():
    ticks = TickFilter()

    assert ticks.judge("EURUSD", 108_500, 108_508, 10 * SECOND) is None
    assert ticks.judge("EURUSD", 0, 108_508, 11 * SECOND) is Refusal.ONE_SIDED
    assert ticks.judge("EURUSD", 108_500, 108_499, 11 * SECOND) is Refusal.CROSSED
    assert ticks.judge("EURUSD", 108_500, 108_508, 9 * SECOND) is Refusal.BACKWARD
    assert ticks.judge("EURUSD", 108_500, 108_500, 10 * SECOND) is None
    assert ticks.refused == {Refusal.ONE_SIDED: 1, Refusal.CROSSED: 1, Refusal.BACKWARD: 1}


def test_a_tick_older_than_the_limit_is_stale():
    ticks = TickFilter(max_age_us=5 * SECOND)

    assert ticks.judge("EURUSD", 1, 2, 0, now_us=5 * SECOND) is None
    assert ticks.judge("EURUSD", 1, 2, 0, now_us=5 * SECOND + 1) is Refusal.STALE


def test_a_bad_print_is_refused_and_the_market_goes_on_where_it_was():
    ticks = TickFilter(max_move=0.02)

    assert ticks.judge("EURUSD", 108_500, 108_508, SECOND) is None
    assert ticks.judge("EURUSD", 118_500, 118_508, 2 * SECOND) is Refusal.SPIKE
    assert ticks.judge("EURUSD", 108_501, 108_509, 3 * SECOND) is None


def test_a_real_gap_becomes_the_market_once_it_is_confirmed():
    ticks = TickFilter(max_move=0.02, confirmations=3)
    ticks.judge("EURUSD", 108_500, 108_508, SECOND)

    answers = [ticks.judge("EURUSD", 118_500, 118_508, n * SECOND) for n in range(2, 6)]

    assert answers == [Refusal.SPIKE, Refusal.SPIKE, Refusal.SPIKE, None]


def test_a_gap_over_a_weekend_is_not_a_spike():
    ticks = TickFilter(max_move=0.02)
    ticks.judge("EURUSD", 108_500, 108_508, SECOND)

    assert ticks.judge("EURUSD", 118_500, 118_508, 49 * 3600 * SECOND) is None


def test_one_symbol_says_nothing_about_another():
    ticks = TickFilter()
    ticks.judge("EURUSD", 108_500, 108_508, 9 * SECOND)

    assert ticks.judge("USDJPY", 151_200, 151_209, SECOND) is None
