"""Bars of quotes: minute bars built as ticks arrive, longer ones merged from shorter ones.

Open, high, low and close are bid prices in points, as charts of leveraged products show them; the spread's
extremes travel along so the offer side can be bounded in a dispute. Merging is associative: any grouping of
the same minutes gives the same hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MINUTE_US = 60 * 1_000_000
INTERVAL_MINUTES = {"M1": 1, "M5": 5, "M15": 15, "H1": 60, "H4": 240, "D1": 1440}


class Bar(NamedTuple):
    """One interval of one instrument; `start_us` is its first microsecond."""

    start_us: int
    open: int
    high: int
    low: int
    close: int
    spread_min: int
    spread_max: int
    ticks: int


def bar_start(ts_us: int, interval: str) -> int:
    """The start of the interval that holds the instant, counted from the epoch (UTC)."""
    width = INTERVAL_MINUTES[interval] * MINUTE_US
    return ts_us - ts_us % width


def merge(first: Bar, second: Bar) -> Bar:
    """Two bars in order of time as one that starts with the first."""
    return Bar(
        first.start_us,
        first.open,
        max(first.high, second.high),
        min(first.low, second.low),
        second.close,
        min(first.spread_min, second.spread_min),
        max(first.spread_max, second.spread_max),
        first.ticks + second.ticks,
    )


def aggregate(bars: Iterable[Bar], interval: str) -> Iterator[Bar]:
    """Bars in ascending order grouped into a longer interval; empty intervals do not appear."""
    current: Bar | None = None
    for bar in bars:
        start = bar_start(bar.start_us, interval)
        if current is not None and current.start_us == start:
            current = merge(current, bar)
            continue
        if current is not None:
            yield current
        current = bar._replace(start_us=start)
    if current is not None:
        yield current


class MinuteBuilder:
    """Collects ticks per symbol and hands out each minute once, when a later tick shows that it ended."""

    def __init__(self) -> None:
        self._open: dict[str, Bar] = {}

    def add(self, symbol: str, bid: int, ask: int, ts_us: int) -> Bar | None:
        """Take a tick; returns the finished minute of that symbol when this tick starts a new one."""
        start = ts_us - ts_us % MINUTE_US
        tick = Bar(start, bid, bid, bid, bid, ask - bid, ask - bid, 1)
        current = self._open.get(symbol)
        if current is not None and start <= current.start_us:
            self._open[symbol] = merge(current, tick)
            return None
        self._open[symbol] = tick
        return current

    def finish(self, before_us: int | None = None) -> list[tuple[str, Bar]]:
        """Hand out the minutes that ended before the instant, or all of them when the feed stops."""
        done = [
            (symbol, bar)
            for symbol, bar in self._open.items()
            if before_us is None or bar.start_us + MINUTE_US <= before_us
        ]
        for symbol, _bar in done:
            del self._open[symbol]
        return done
