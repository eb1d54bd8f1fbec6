"""Market files as quotes, free of Django: ticks in two dialects, minute bars as a bid and ask pair or alone.

Each reader names the line that it cannot accept (`BadLine`), and `survey` reads the whole input once before
anybody publishes a tick of it, so a damaged file is refused whole instead of being loaded up to the damage.

Sources of the dialects: HistData.com "ASCII tick" (`YYYYMMDD HHMMSSmmm,bid,ask,volume`, Eastern standard time
all year, no daylight saving); ISO 8601 with an offset, and without one read as UTC.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar

from apps.market.quotes import to_points, to_us

EASTERN_STANDARD = timezone(timedelta(hours=-5))
HISTDATA = re.compile(r"^\d{8} \d{9}$")
TIME_HEADERS = {"timestamp", "timestamp_utc", "time", "datetime", "date", ""}
SECOND_US = 1_000_000
T = TypeVar("T")


class BadLine(ValueError):
    """A line that is not what its file promises."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class FileTick(NamedTuple):
    """A quote of a file: where it stood, when it was, and both sides in points."""

    line: int
    ts_us: int
    bid: int
    ask: int


class FileBar(NamedTuple):
    """A bar of a file, in points."""

    line: int
    ts_us: int
    open: int
    high: int
    low: int
    close: int


@dataclass(frozen=True)
class Survey:
    """What a complete first reading found."""

    ticks: int
    crossed: int
    first_us: int
    last_us: int


SpreadModel = Callable[[int], int]
"""Spread in points at an instant (microseconds), for files that carry one side only."""


def open_text(path: Path) -> TextIO:
    """The file as text, unpacked when it is gzip (by content, not by name)."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    if packed:
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", newline="")
    return path.open("r", encoding="utf-8-sig", newline="")


def parse_time(text: str) -> int:
    """Microseconds since the epoch. Raises ValueError for anything that is not a full date."""
    if HISTDATA.match(text):
        at = datetime.strptime(text[:15], "%Y%m%d %H%M%S").replace(tzinfo=EASTERN_STANDARD)
        return to_us(at) + int(text[15:]) * 1000
    at = datetime.fromisoformat(text)
    return to_us(at if at.tzinfo else at.replace(tzinfo=UTC))


def parse_price(text: str, digits: int) -> int:
    """A positive price in points."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a price") from None
    if not price.is_finite() or price <= 0:
        raise ValueError(f"{text!r} is not a positive price")
    return to_points(price, digits)


def is_tick_file(path: Path) -> bool:
    """Whether the file holds bids and asks rather than bars. Raises `BadLine` when it is neither."""
    with open_text(path) as text:
        header = next(csv.reader(text), None)
    if not header:
        raise BadLine(path.name, 1, "the file is empty")
    names = [name.strip().lower() for name in header]
    if HISTDATA.match(header[0]) or names[1:3] == ["bid", "ask"]:
        return True
    if names[0] in TIME_HEADERS and names[1:5] == ["open", "high", "low", "close"]:
        return False
    raise BadLine(path.name, 1, "neither ticks (time,bid,ask) nor bars (time,open,high,low,close)")


def read_ticks(path: Path, digits: int) -> Iterator[FileTick]:
    """The ticks of one file in its order, which must be the order of time."""
    last = 0
    for line, row in _rows(path, least=3):
        if line == 1 and row[1].strip().lower() == "bid":
            continue
        ts_us, bid, ask = _parsed(path, line, partial(_tick, row, digits))
        if ts_us < last:
            raise BadLine(path.name, line, "earlier than the line before it")
        last = ts_us
        yield FileTick(line, ts_us, bid, ask)


def read_bars(path: Path, digits: int) -> Iterator[FileBar]:
    """The bars of one file, strictly ascending, each with low ≤ open, close ≤ high."""
    last = 0
    for line, row in _rows(path, least=5):
        if line == 1:
            continue
        bar = _parsed(path, line, partial(_bar, line, row, digits))
        if bar.ts_us <= last:
            raise BadLine(path.name, line, "not later than the line before it")
        if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
            raise BadLine(path.name, line, "open and close do not lie between low and high")
        last = bar.ts_us
        yield bar


def pair_ticks(bid: Path, ask: Path, digits: int) -> Iterator[FileTick]:
    """Four ticks per bar of a bid file and an ask file that hold the same instants."""
    asks = read_bars(ask, digits)
    width = 0
    for ahead, b in _with_width(read_bars(bid, digits)):
        width = ahead or width
        a = next(asks, None)
        if a is None:
            raise BadLine(bid.name, b.line, f"{ask.name} ends before it")
        if a.ts_us != b.ts_us:
            raise BadLine(ask.name, a.line, f"not the instant of line {b.line} of {bid.name}")
        yield from _walk(b, a, width)
    extra = next(asks, None)
    if extra is not None:
        raise BadLine(ask.name, extra.line, f"{bid.name} ends before it")


def bar_ticks(path: Path, digits: int, spread: SpreadModel) -> Iterator[FileTick]:
    """Four ticks per bar of a single file whose prices are bids; the offer comes from the spread model."""
    width = 0
    for ahead, bar in _with_width(read_bars(path, digits)):
        width = ahead or width
        points = max(1, spread(bar.ts_us))
        shifted = bar._replace(
            open=bar.open + points,
            high=bar.high + points,
            low=bar.low + points,
            close=bar.close + points,
        )
        yield from _walk(bar, shifted, width)


def source(paths: list[Path], digits: int, spread: SpreadModel) -> Callable[[], Iterable[FileTick]]:
    """How to read these files, each time from the beginning.

    One tick file, one bar file, or a pair of bar files of which one has "ask" in its name (otherwise the
    first is the bid). Raises `BadLine` or FileNotFoundError at once.
    """
    kinds = [is_tick_file(path) for path in paths]
    if len(paths) == 1 and kinds[0]:
        return lambda: read_ticks(paths[0], digits)
    if len(paths) == 1:
        return lambda: bar_ticks(paths[0], digits, spread)
    if len(paths) != 2 or any(kinds):
        raise BadLine(paths[-1].name, 1, "two files must be bars: one of bids and one of asks")
    bid, ask = paths
    if "ask" in bid.name.lower() and "ask" not in ask.name.lower():
        bid, ask = ask, bid
    return lambda: pair_ticks(bid, ask, digits)


def survey(ticks: Iterable[FileTick]) -> Survey:
    """Read everything once. Raises `BadLine` at the first line that cannot be accepted."""
    count = crossed = first = last = 0
    for tick in ticks:
        first = first or tick.ts_us
        last = tick.ts_us
        count += 1
        crossed += tick.ask < tick.bid
    return Survey(count, crossed, first, last)


def _rows(path: Path, least: int) -> Iterator[tuple[int, list[str]]]:
    with open_text(path) as text:
        rows = csv.reader(text)
        try:
            for row in rows:
                if len(row) < least:
                    raise BadLine(path.name, rows.line_num, f"{len(row)} values, {least} needed")
                yield rows.line_num, row
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise BadLine(path.name, rows.line_num + 1, str(error)) from error


def _parsed(path: Path, line: int, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except ValueError as error:
        raise BadLine(path.name, line, str(error)) from error


def _tick(row: list[str], digits: int) -> tuple[int, int, int]:
    return parse_time(row[0]), parse_price(row[1], digits), parse_price(row[2], digits)


def _bar(line: int, row: list[str], digits: int) -> FileBar:
    o, h, low, c = (parse_price(text, digits) for text in row[1:5])
    return FileBar(line, parse_time(row[0]), o, h, low, c)


def _with_width(bars: Iterator[FileBar]) -> Iterator[tuple[int, FileBar]]:
    """Each bar with the distance to the one before it, so four ticks stay inside the shortest bar seen."""
    before: FileBar | None = None
    shortest = 0
    for bar in bars:
        if before is not None:
            gap = bar.ts_us - before.ts_us
            shortest = min(shortest, gap) if shortest else gap
        yield shortest, bar
        before = bar


def _walk(bid: FileBar, ask: FileBar, width_us: int) -> Iterator[FileTick]:
    """Open, the nearer extreme, the other extreme, close: a rising bar dips first, a falling one peaks first."""
    step = (width_us or 60 * SECOND_US) // 4
    rising = bid.close >= bid.open
    bids = (bid.open, *((bid.low, bid.high) if rising else (bid.high, bid.low)), bid.close)
    asks = (ask.open, *((ask.low, ask.high) if rising else (ask.high, ask.low)), ask.close)
    for index, (b, a) in enumerate(zip(bids, asks, strict=True)):
        yield FileTick(bid.line, bid.ts_us + index * step, b, a)
