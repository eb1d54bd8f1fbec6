"""What is kept of the quotes: bars, the quotes behind decisions, and a generated past for a demonstration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection, transaction

from apps.core import clock
from apps.market import simulation
from apps.market.bars import Bar, bar_start, merge
from apps.market.enums import BarInterval
from apps.market.feeding import simulator_build
from apps.market.models import QuoteRecord
from apps.market.quotes import Quote

COLUMNS = "symbol, interval, starts_at, open, high, low, close, spread_min, spread_max, ticks"
MERGE = f"""
    INSERT INTO market_candle ({COLUMNS})
    SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[],
                         %s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::int[])
    ON CONFLICT (symbol, interval, starts_at) DO UPDATE SET
        high = greatest(market_candle.high, excluded.high),
        low = least(market_candle.low, excluded.low),
        close = excluded.close,
        spread_min = least(market_candle.spread_min, excluded.spread_min),
        spread_max = greatest(market_candle.spread_max, excluded.spread_max),
        ticks = market_candle.ticks + excluded.ticks
"""  # noqa: S608 the column list is a constant
COPY = f"COPY candle_generated ({COLUMNS}) FROM STDIN"


def candles_store(finished: Iterable[tuple[str, Bar]]) -> int:
    """Archive finished minutes, and merge each into its hour, in two statements."""
    minutes = list(finished)
    if not minutes:
        return 0
    hours: dict[tuple[str, int], Bar] = {}
    for symbol, bar in sorted(minutes, key=lambda item: item[1].start_us):
        key = (symbol, bar_start(bar.start_us, "H1"))
        hours[key] = merge(hours[key], bar) if key in hours else bar._replace(start_us=key[1])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MERGE, _arrays(BarInterval.M1, minutes))
        cursor.execute(MERGE, _arrays(BarInterval.H1, ((k[0], bar) for k, bar in hours.items())))
    return len(minutes)


def quote_record(*, quote: Quote, reference: str) -> None:
    """Keep the quote that a decision stood on; the same use twice keeps the first."""
    QuoteRecord.objects.bulk_create(
        [
            QuoteRecord(
                symbol=quote.symbol,
                bid_points=quote.bid_points,
                ask_points=quote.ask_points,
                quoted_at=quote.at,
                source=quote.source,
                reference=reference,
            )
        ],
        ignore_conflicts=True,
    )


def history_generate(*, days: int, minute_days: int = 2, seed: int = 20) -> int:
    """A past that ends at today's prices: hours for `days`, minutes for the last `minute_days`.

    Bars that exist stay as they are. Written with COPY; returns how many bars were added.
    """
    end = clock.now().replace(second=0, microsecond=0)
    minutes = days * 1440
    start = (end - timedelta(minutes=minutes)).replace(minute=0)
    minutes = int((end - start).total_seconds() // 60)
    columns = simulator_build(seed=seed).history(start, minutes, inner=3)
    minutes_from = int((end - timedelta(days=minute_days)).timestamp()) * 1_000_000
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE candle_generated (LIKE market_candle) ON COMMIT DROP")
        with cursor.copy(COPY) as copy:
            for row in _generated(columns, minutes_from):
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO market_candle ({COLUMNS}) SELECT {COLUMNS} FROM candle_generated "  # noqa: S608
            "ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)


def _generated(
    columns: dict[str, tuple[np.ndarray, ...]], minutes_from: int
) -> Iterator[tuple[object, ...]]:
    for symbol, minute in columns.items():
        hours = simulation.hour_columns(minute)
        for start, *values in zip(*(c.tolist() for c in hours), strict=True):
            yield (symbol, "H1", _at(start), *values)
        recent = minute[0] >= minutes_from
        for start, o, h, low, c, spread in zip(*(x[recent].tolist() for x in minute), strict=True):
            yield (symbol, "M1", _at(start), o, h, low, c, spread, spread, 3)


def _arrays(interval: str, items: Iterable[tuple[str, Bar]]) -> list[list[object]]:
    rows = [(symbol, interval, _at(bar.start_us), *bar[1:]) for symbol, bar in items]
    return [list(column) for column in zip(*rows, strict=True)]


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, tz=UTC)
