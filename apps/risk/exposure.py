"""The process that keeps the exposure: follows the engine's deltas and the quotes, and tells the pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import F, Sum

from apps.accounts.models import TradingAccount
from apps.core import clock
from apps.core.redis import redis_client
from apps.market.enums import ConversionSide
from apps.market.quotes import to_us
from apps.market.selectors import feed_is_alive, instrument_list, last_quotes, rate_graph
from apps.orders.models import ChildOrder, Position
from apps.orders.selectors import engine_lag_seconds
from apps.risk.calculations import (
    HOUSE_BOOK,
    Cell,
    CellKey,
    Mark,
    PositionBook,
    Terms,
    percentile,
)
from apps.risk.snapshot import REPORTING_CURRENCY, Snapshot, history_add, snapshot_store

ENGINE_SILENT_SECONDS = 10.0
VENUES = "market:venues"
REMEMBERED_LAGS = 500


class ExposureKeeper:
    """All open positions, re-marked on demand. Positions come from the table and from deltas alike."""

    def __init__(self) -> None:
        self.book = PositionBook()
        self.terms: dict[str, Terms] = {}
        self.hedges: dict[tuple[str, str], float] = {}
        self.sequence = 0
        self._entity_of: dict[str, str] = {}
        self._deals: deque[int] = deque()
        self._lags: deque[float] = deque(maxlen=REMEMBERED_LAGS)
        self.hedges_are_old = True

    def load(self) -> None:
        """Everything from the database; what deltas missed is healed here."""
        self.terms = {i.symbol: terms_of(i) for i in instrument_list()}
        present: set[int] = set()
        rows = Position.objects.open().values_list(
            "id", "account_id", "account__client__entity__code", "symbol", "side", "book",
            "steps", "cost",
        )  # fmt: skip
        for number, account, entity, symbol, side, book, steps, cost in rows.iterator():
            self._entity_of[str(account)] = entity
            present.add(number)
            key = CellKey(entity, book, symbol)
            self.book.put(number, key, side=side, steps=steps, cost=cost)
        for number in self.book.numbers() - present:
            self.book.drop(number)
        self.load_hedges()

    def load_hedges(self) -> None:
        """Net lots at the venues, from what they filled."""
        rows = (
            ChildOrder.objects.filter(cum__gt=0)
            .values("account__client__entity__code", "symbol", "side")
            .annotate(lots=Sum(F("cum") * F("lot_step")))
        )
        hedges: dict[tuple[str, str], float] = {}
        for row in rows:
            key = (row["account__client__entity__code"], row["symbol"])
            sign = 1 if row["side"] == 1 else -1
            hedges[key] = hedges.get(key, 0.0) + sign * float(row["lots"])
        self.hedges = hedges
        self.hedges_are_old = False

    def take(self, delta: dict[str, Any]) -> None:
        """One delta of an engine: absolute positions, and the deals that made them."""
        positions = delta.get("positions", ())
        self._learn({str(row[1]) for row in positions} - self._entity_of.keys())
        for number, account, symbol, side, book, steps, cost in positions:
            key = CellKey(self._entity_of.get(str(account), "?"), book, symbol)
            self.book.put(number, key, side=side, steps=steps, cost=cost)
        for deal in delta.get("deals", ()):
            self._deals.append(deal[8])
            self.hedges_are_old |= deal[7] != HOUSE_BOOK

    def _learn(self, accounts: Iterable[str]) -> None:
        wanted = [UUID(name) for name in accounts]
        if wanted:
            rows = TradingAccount.objects.filter(pk__in=wanted)
            for pk, entity in rows.values_list("pk", "client__entity__code"):
                self._entity_of[str(pk)] = entity

    def snapshot(self) -> Snapshot:
        """The exposure now. Deals that it shows for the first time say how late it is."""
        marks = self.marks()
        now_us = to_us(clock.now())
        while self._deals:
            self._lags.append((now_us - self._deals.popleft()) / 1000)
        self.sequence += 1
        return Snapshot(
            at_us=now_us,
            sequence=self.sequence,
            cells=[(*key, *cell) for key, cell in self.book.cells(self.terms, marks).items()],
            hedges=[(*key, lots) for key, lots in self.hedges.items() if lots],
            terms=list(self.terms.values()),
            marks=[(symbol, *mark) for symbol, mark in marks.items()],
            feed_alive=feed_is_alive(),
            engine_alive=engines_are_alive(),
            venues=venue_lines(),
            lag_ms={
                "p50": _rounded(percentile(self._lags, 0.50)),
                "p95": _rounded(percentile(self._lags, 0.95)),
            },
        )

    def marks(self) -> dict[str, Mark]:
        """Prices and conversion of every instrument that has both."""
        quotes = last_quotes()
        graph = rate_graph(quotes)
        rates: dict[str, float | None] = {}
        found: dict[str, Mark] = {}
        for symbol, quote in quotes.items():
            terms = self.terms.get(symbol)
            if terms is None:
                continue
            if terms.quote not in rates:
                rate = graph.rate(terms.quote, REPORTING_CURRENCY, ConversionSide.MID)
                rates[terms.quote] = None if rate is None else float(rate)
            rate_now = rates[terms.quote]
            if rate_now is not None:
                found[symbol] = Mark(quote.bid_points, quote.ask_points, rate_now)
        return found

    def remember(self, snapshot: Snapshot) -> None:
        """Add a point to the line of floating P/L."""
        by_entity: dict[str, tuple[float, float]] = {}
        for row in snapshot.cells:
            key, cell = CellKey(*row[:3]), Cell(*row[3:])
            client, house = by_entity.get(key.entity, (0.0, 0.0))
            kept = -cell.pnl if key.book == HOUSE_BOOK else 0.0
            by_entity[key.entity] = (client + cell.pnl, house + kept)
        history_add(snapshot.at_us // 1000, by_entity)


def terms_of(instrument: Any) -> Terms:
    """An instrument as the calculations read it."""
    return Terms(
        symbol=instrument.symbol,
        asset_class=instrument.asset_class.code,
        base=instrument.base,
        quote=instrument.quote,
        digits=instrument.digits,
        lot_step=float(instrument.lot_step),
        contract_size=float(instrument.contract_size),
    )


def engines_are_alive() -> bool:
    """Whether every shard's engine gave a sign of life within the last seconds."""
    ages = [engine_lag_seconds(shard) for shard in settings.ENGINE_SHARDS]
    return all(age is not None and age <= ENGINE_SILENT_SECONDS for age in ages)


def venue_lines() -> dict[str, bool]:
    """Each venue and whether its line is up, as the gateway says."""
    states = redis_client().hgetall(VENUES)
    return {
        code.decode(): bool(msgspec.msgpack.decode(state).get("connected"))
        for code, state in sorted(states.items())
    }


def publishable(keeper: ExposureKeeper) -> dict[str, Any]:
    """Store the exposure now and wrap it for the pages."""
    snapshot = keeper.snapshot()
    packed = snapshot_store(snapshot)
    return {"type": "exposure.changed", "sequence": snapshot.sequence, "snapshot": packed}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
