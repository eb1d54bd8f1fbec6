"""The exposure as it is handed from the process that computes it to the pages that show it."""

from __future__ import annotations

from typing import Any

import msgspec

from apps.core.redis import redis_client
from apps.risk.calculations import Cell, CellKey, Hedges, Mark, Report, Terms, exposure_report

KEY = "risk:exposure"
HISTORY = "risk:exposure:pnl"
GROUP = "exposure"
KEPT_SECONDS = 15
HISTORY_POINTS = 720
REPORTING_CURRENCY = "USD"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a view is summed from, the state of its sources, and how late it is."""

    at_us: int
    sequence: int
    cells: list[tuple[str, str, str, int, float, float, float, float, float]]
    hedges: list[tuple[str, str, float]]
    terms: list[tuple[str, str, str, str, int, float, float]]
    marks: list[tuple[str, int, int, float]]
    feed_alive: bool
    engine_alive: bool
    venues: dict[str, bool]
    lag_ms: dict[str, float | None]

    def report(self, entities: frozenset[str] | None) -> Report:
        """The views for whoever sees these entities; None sees all."""
        cells = {CellKey(*row[:3]): Cell(*row[3:]) for row in self.cells}
        hedges: Hedges = {(entity, symbol): lots for entity, symbol, lots in self.hedges}
        terms = {row[0]: Terms(*row) for row in self.terms}
        marks = {row[0]: Mark(*row[1:]) for row in self.marks}
        return exposure_report(cells, hedges, terms, marks, entities)

    def state(self) -> dict[str, Any]:
        """What a page needs to know to grey out."""
        return {
            "at_us": self.at_us,
            "feed": self.feed_alive,
            "engine": self.engine_alive,
            "venues": self.venues,
            "lag_ms": self.lag_ms,
            "currency": REPORTING_CURRENCY,
        }


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode
_point = msgspec.msgpack.Decoder(tuple[int, dict[str, tuple[float, float]]]).decode


def snapshot_store(snapshot: Snapshot) -> bytes:
    """Keep it for pages that open now; it vanishes soon after its maker does."""
    packed = _encode(snapshot)
    redis_client().set(KEY, packed, ex=KEPT_SECONDS)
    return packed


def snapshot_read(packed: bytes) -> Snapshot:
    return _decode(packed)


def snapshot_latest() -> Snapshot | None:
    """None when nobody computes exposure: then nothing is known, which is not zero."""
    packed = redis_client().get(KEY)
    return None if packed is None else _decode(packed)


def history_add(at_ms: int, by_entity: dict[str, tuple[float, float]]) -> None:
    """One point of floating P/L: client's and house's, by entity."""
    pipeline = redis_client().pipeline(transaction=False)
    pipeline.rpush(HISTORY, _encode((at_ms, by_entity)))
    pipeline.ltrim(HISTORY, -HISTORY_POINTS, -1)
    pipeline.execute()


def history_read(entities: frozenset[str] | None) -> list[list[float]]:
    """Points of the last hour for these entities: time, client P/L, house P/L."""
    points = []
    for packed in redis_client().lrange(HISTORY, 0, -1):
        at_ms, by_entity = _point(packed)
        seen = [v for k, v in by_entity.items() if entities is None or k in entities]
        points.append([at_ms, round(sum(v[0] for v in seen), 2), round(sum(v[1] for v in seen), 2)])
    return points
