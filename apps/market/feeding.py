"""How quotes enter the system: one publisher for every source, simulated, replayed or from a provider.

A published quote is appended to the stream that the engine reads, becomes the latest one in the hash, grows
its minute bar, and reaches the pages in conflated batches, at most five a second.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import redis
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from apps.core import clock
from apps.core.redis import redis_client
from apps.market.bars import Bar, MinuteBuilder
from apps.market.filters import TickFilter
from apps.market.quotes import HEARTBEAT, LAST, STREAM, STREAM_LENGTH, Quote, pack, to_us
from apps.market.selectors import instrument_list, last_quotes, session_calendars
from apps.market.simulation import AssetModel, InstrumentModel, MarketSimulator

DATA_FILE = Path(__file__).parent / "data" / "instruments.toml"
GROUP = "quotes"
SEQUENCE = "market:sequence"
PUSH_EVERY = 0.2
REPLAYING = "market:replaying:"
REPLAY_CLAIM_SECONDS = 10
UNKNOWN_ASSET_VOLATILITY = 0.2


class Tick(NamedTuple):
    """A price on its way in, in points."""

    symbol: str
    bid: int
    ask: int
    ts_us: int


@cache
def master_data() -> Mapping[str, Any]:
    """The data file that comes with the system."""
    with DATA_FILE.open("rb") as file:
        return tomllib.load(file)


def simulator_build(*, seed: int) -> MarketSimulator:
    """A simulator of all instruments that starts at their latest quotes, or else at reference prices."""
    calendars = session_calendars()
    quotes = last_quotes()
    instruments = [
        InstrumentModel(
            symbol=i.symbol,
            base=i.base,
            quote=i.quote,
            digits=i.digits,
            price=float(quotes[i.symbol].mid if i.symbol in quotes else i.reference_price),
            spread_points=i.typical_spread_points,
            tick_points=max(1, int(i.tick_size.scaleb(i.digits))),
            calendar=calendars[i.calendar.code],
        )
        for i in instrument_list().order_by("symbol")
    ]
    return MarketSimulator(_assets(instruments), instruments, seed=seed)


def _assets(instruments: Iterable[InstrumentModel]) -> list[AssetModel]:
    known = master_data()["simulation"]["assets"]
    codes = sorted({code for i in instruments for code in (i.base, i.quote)})
    return [
        AssetModel(
            code,
            known.get(code, {}).get("volatility", UNKNOWN_ASSET_VOLATILITY),
            known.get(code, {}).get("loadings", {}),
        )
        for code in codes
    ]


class QuotePublisher:
    """Checks ticks and hands the good ones to everyone who waits for prices."""

    def __init__(
        self, source: str, digits: Mapping[str, int], tick_filter: TickFilter | None = None
    ) -> None:
        self.source = source
        self.digits = digits
        self.filter = tick_filter or TickFilter()
        self.published = 0
        self._redis: redis.Redis = redis_client()
        self._minutes = MinuteBuilder()
        self._finished: list[tuple[str, Bar]] = []
        self._changed: dict[str, Quote] = {}

    def publish(self, ticks: Iterable[Tick]) -> int:
        """Publish the ticks that pass the filter, in one round trip. Returns how many passed."""
        now_us = to_us(clock.now())
        pipeline = self._redis.pipeline(transaction=False)
        passed = 0
        for tick in ticks:
            if self.filter.judge(*tick, now_us=now_us) is not None:
                continue
            passed += 1
            self._add(pipeline, tick)
        pipeline.set(HEARTBEAT, repr(now_us / 1_000_000))
        pipeline.execute()
        self.published += passed
        return passed

    def _add(self, pipeline: Any, tick: Tick) -> None:
        quote = Quote(*tick, self.source, self.digits[tick.symbol])
        packed = pack(quote)
        pipeline.xadd(STREAM, {"q": packed}, maxlen=STREAM_LENGTH, approximate=True)
        pipeline.hset(LAST, tick.symbol, packed)
        self._changed[tick.symbol] = quote
        finished = self._minutes.add(*tick)
        if finished is not None:
            self._finished.append((tick.symbol, finished))

    async def push(self) -> int:
        """Send what changed since the last push to the pages, the latest quote of each symbol only."""
        if not self._changed:
            return 0
        changed, self._changed = self._changed, {}
        layer = get_channel_layer()
        sequence = int(self._redis.incr(SEQUENCE))
        await layer.group_send(
            GROUP,
            {
                "type": "quotes.changed",
                "sequence": sequence,
                "quotes": [quote_row(quote) for quote in changed.values()],
            },
        )
        return len(changed)

    async def archive(self, *, everything: bool = False) -> int:
        """Store the minutes that ended, or at the end of a feed also those that run."""
        from apps.market.services.archive import candles_store

        self._finished += self._minutes.finish(None if everything else to_us(clock.now()))
        if not self._finished:
            return 0
        finished, self._finished = self._finished, []
        return await sync_to_async(candles_store)(finished)


def quote_row(quote: Quote) -> list[Any]:
    """A quote as pages read it: symbol, bid, ask, milliseconds since the epoch."""
    return [
        quote.symbol,
        price_text(quote.bid_points, quote.digits),
        price_text(quote.ask_points, quote.digits),
        quote.ts_us // 1000,
    ]


def price_text(points: int, digits: int) -> str:
    """Points as a price with all its digits."""
    if not digits:
        return str(points)
    whole, rest = divmod(abs(points), 10**digits)
    return f"{'-' if points < 0 else ''}{whole}.{rest:0{digits}d}"


def replay_claim(symbol: str) -> None:
    """Tell the simulated feed to leave the symbol alone for the next seconds."""
    redis_client().set(REPLAYING + symbol, 1, ex=REPLAY_CLAIM_SECONDS)


def replay_release(symbol: str) -> None:
    redis_client().delete(REPLAYING + symbol)


def replayed_symbols(symbols: Iterable[str]) -> set[str]:
    """Which of the symbols a replay has claimed."""
    names = list(symbols)
    claims = redis_client().mget([REPLAYING + name for name in names])
    return {name for name, claim in zip(names, claims, strict=True) if claim is not None}
