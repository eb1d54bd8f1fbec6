"""Exposure and floating P/L of many positions at once, free of Django and I/O.

Positions live in numpy columns; one pass re-marks all of them. The result is a table of cells, one for each
entity, book and symbol, from which every view (by symbol, currency, asset class, book, entity) is summed. So
whatever a person may see, the parts add up to the whole.

Figures are for eyes and limits, in one reporting currency, as floats; the books keep exact integers.
Long is marked at the bid and short at the ask: floating P/L = side × (close × steps − cost) × value of one
point of one lot step. The house's result on its own book is the client's with the sign turned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import fsum
from typing import Any, NamedTuple

import numpy as np

BUY = 1
HOUSE_BOOK = "B"
HEDGED_BOOK = "A"
CURRENCY_BASES = frozenset(("FX", "METAL", "CRYPTO", "FUTURE"))
ROUND_MONEY = 2
ROUND_LOTS = 4


class CellKey(NamedTuple):
    entity: str
    book: str
    symbol: str


class Cell(NamedTuple):
    """All open positions of one entity, book and symbol. Money is in the reporting currency."""

    positions: int
    long_lots: float
    short_lots: float
    long_value: float
    short_value: float
    pnl: float


class Terms(NamedTuple):
    """What turns an instrument's integers into lots and money."""

    symbol: str
    asset_class: str
    base: str
    quote: str
    digits: int
    lot_step: float
    contract_size: float


class Mark(NamedTuple):
    """An instrument's price in points, and what one unit of its quote currency is in the reporting one."""

    bid: int
    ask: int
    rate: float


class PositionBook:
    """Open positions in columns. Rows are reused, so a delta costs the same however many there are."""

    def __init__(self, capacity: int = 1024) -> None:
        self._row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._symbols: dict[str, int] = {}
        self._cells: dict[CellKey, int] = {}
        self._capacity = 0
        self._grow(capacity)

    def __len__(self) -> int:
        return len(self._row_of)

    def put(self, number: int, key: CellKey, *, side: int, steps: int, cost: int) -> None:
        """A position as it is now; no steps left means that it is closed."""
        if steps <= 0:
            self.drop(number)
            return
        row = self._row_of.get(number)
        if row is None:
            if not self._free:
                self._grow(self._capacity * 2)
            row = self._row_of[number] = self._free.pop()
        self._symbol[row] = self._symbols.setdefault(key.symbol, len(self._symbols))
        self._cell[row] = self._cells.setdefault(key, len(self._cells))
        self._side[row] = 1 if side == BUY else -1
        self._steps[row] = steps
        self._cost[row] = cost

    def drop(self, number: int) -> None:
        row = self._row_of.pop(number, None)
        if row is not None:
            self._steps[row] = self._cost[row] = self._side[row] = 0
            self._free.append(row)

    def numbers(self) -> set[int]:
        return set(self._row_of)

    def cells(self, terms: Mapping[str, Terms], marks: Mapping[str, Mark]) -> dict[CellKey, Cell]:
        """Every cell that holds a position, marked. A symbol without a mark counts lots but no money."""
        if not self._row_of:
            return {}
        per_symbol = self._per_symbol(terms, marks)
        used = self._side != 0
        symbol, cell = self._symbol[used], self._cell[used]
        side, steps, cost = self._side[used], self._steps[used], self._cost[used]
        step, bid, ask, point_value = (column[symbol] for column in per_symbol)
        is_long = side > 0
        close = np.where(is_long, bid, ask)
        lots = steps * step
        value = (bid + ask) / 2 * steps * point_value
        pnl = side * (close * steps - cost) * point_value * (close > 0)
        size = len(self._cells)

        def total(weights: np.ndarray) -> np.ndarray:
            return np.bincount(cell, weights=weights, minlength=size)

        columns = (
            np.bincount(cell, minlength=size),
            total(lots * is_long),
            total(lots * ~is_long),
            total(value * is_long),
            total(value * ~is_long),
            total(pnl),
        )
        return {
            key: Cell(int(columns[0][n]), *(float(column[n]) for column in columns[1:]))
            for key, n in self._cells.items()
            if columns[0][n]
        }

    def _per_symbol(
        self, terms: Mapping[str, Terms], marks: Mapping[str, Mark]
    ) -> tuple[np.ndarray, ...]:
        """Lot step, bid, ask, and the money of one point of one step, by the symbol's number."""
        rows = np.zeros((4, max(1, len(self._symbols))))
        for name, number in self._symbols.items():
            known, mark = terms.get(name), marks.get(name)
            if known is not None:
                rows[0, number] = known.lot_step
            if known is not None and mark is not None:
                rows[1:3, number] = mark.bid, mark.ask
                unit = known.lot_step * known.contract_size * 10.0**-known.digits
                rows[3, number] = unit * mark.rate
        return tuple(rows)

    def _grow(self, capacity: int) -> None:
        def extended(name: str, kind: type) -> np.ndarray:
            column: np.ndarray = np.zeros(capacity, dtype=kind)
            if self._capacity:
                column[: self._capacity] = getattr(self, name)
            return column

        for name in ("_symbol", "_cell", "_side", "_steps", "_cost"):
            setattr(self, name, extended(name, np.int64))
        self._free += range(capacity - 1, self._capacity - 1, -1)
        self._capacity = capacity

    _symbol: np.ndarray
    _cell: np.ndarray
    _side: np.ndarray
    _steps: np.ndarray
    _cost: np.ndarray


Hedges = Mapping[tuple[str, str], float]
"""Net lots at liquidity providers by (entity, symbol); long is positive."""

Report = dict[str, dict[str, dict[str, Any]]]
"""Views by name (`symbols`, `currencies`, …), then rows by key, then figures."""


def exposure_report(
    cells: Mapping[CellKey, Cell],
    hedges: Hedges,
    terms: Mapping[str, Terms],
    marks: Mapping[str, Mark],
    entities: frozenset[str] | None = None,
) -> Report:
    """Every view over the cells of these entities (None = all of them)."""
    seen = {k: c for k, c in cells.items() if entities is None or k.entity in entities}
    hedged: dict[str, float] = {}
    for (entity, symbol), lots in hedges.items():
        if entities is None or entity in entities:
            hedged[symbol] = hedged.get(symbol, 0.0) + lots
    return {
        "symbols": _by_symbol(seen, hedged, terms, marks),
        "currencies": _by_currency(seen, terms, marks),
        "asset_classes": _grouped(seen, lambda k: _asset_class(k, terms)),
        "books": _grouped(seen, lambda k: k.book),
        "entities": _grouped(seen, lambda k: k.entity),
        "total": _grouped(seen, lambda k: "all") or {"all": _figures([], [])},
    }


def changes(before: Report, after: Report) -> Report:
    """The rows that differ; a row that is gone appears as an empty one."""
    found: Report = {}
    for view in {*before, *after}:
        old, new = before.get(view, {}), after.get(view, {})
        rows = {key: new.get(key, {}) for key in {*old, *new} if old.get(key) != new.get(key)}
        if rows:
            found[view] = rows
    return found


def apply_changes(before: Report, delta: Report) -> Report:
    """What a page holds after a delta."""
    merged = {view: dict(rows) for view, rows in before.items()}
    for view, rows in delta.items():
        target = merged.setdefault(view, {})
        for key, row in rows.items():
            if row:
                target[key] = row
            else:
                target.pop(key, None)
    return merged


def percentile(values: Iterable[float], share: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = int(np.ceil(share * len(ordered)))
    return ordered[max(0, rank - 1)]


def _asset_class(key: CellKey, terms: Mapping[str, Terms]) -> str:
    known = terms.get(key.symbol)
    return known.asset_class if known else "?"


def _grouped(cells: Mapping[CellKey, Cell], group: Any) -> dict[str, dict[str, Any]]:
    groups: dict[str, tuple[list[CellKey], list[Cell]]] = {}
    for key, cell in cells.items():
        keys, members = groups.setdefault(group(key), ([], []))
        keys.append(key)
        members.append(cell)
    return {name: _figures(*members) for name, members in groups.items()}


def _figures(keys: list[CellKey], members: list[Cell]) -> dict[str, Any]:
    long_value = fsum(c.long_value for c in members)
    short_value = fsum(c.short_value for c in members)
    house = fsum(c.pnl for k, c in zip(keys, members, strict=True) if k.book == HOUSE_BOOK)
    return {
        "positions": sum(c.positions for c in members),
        "long": round(long_value, ROUND_MONEY),
        "short": round(short_value, ROUND_MONEY),
        "net": round(long_value - short_value, ROUND_MONEY),
        "gross": round(long_value + short_value, ROUND_MONEY),
        "pnl": round(fsum(c.pnl for c in members), ROUND_MONEY),
        "house_pnl": round(-house, ROUND_MONEY) + 0.0,
    }


def _by_symbol(
    cells: Mapping[CellKey, Cell],
    hedged: Mapping[str, float],
    terms: Mapping[str, Terms],
    marks: Mapping[str, Mark],
) -> dict[str, dict[str, Any]]:
    rows = _grouped(cells, lambda k: k.symbol)
    for symbol in hedged:
        if hedged[symbol] and symbol not in rows:
            rows[symbol] = _figures([], [])
    for symbol, row in rows.items():
        own = {k: c for k, c in cells.items() if k.symbol == symbol}
        row["long_lots"] = round(sum(c.long_lots for c in own.values()), ROUND_LOTS)
        row["short_lots"] = round(sum(c.short_lots for c in own.values()), ROUND_LOTS)
        row["net_lots"] = round(row["long_lots"] - row["short_lots"], ROUND_LOTS)
        row |= _coverage(own, hedged.get(symbol, 0.0))
        row["priced"] = symbol in marks
        row["asset_class"] = terms[symbol].asset_class if symbol in terms else "?"
    return rows


def _coverage(own: Mapping[CellKey, Cell], hedge: float) -> dict[str, float]:
    """Lots that should be covered, lots that are, and the gap between them; and what the house keeps."""

    def net(book: str) -> float:
        return sum(c.long_lots - c.short_lots for k, c in own.items() if k.book == book)

    passed_on = net(HEDGED_BOOK)
    return {
        "passed_on_lots": round(passed_on, ROUND_LOTS),
        "hedge_lots": round(hedge, ROUND_LOTS),
        "gap_lots": round(passed_on - hedge, ROUND_LOTS) + 0.0,
        "house_lots": round(-net(HOUSE_BOOK), ROUND_LOTS) + 0.0,
    }


def _by_currency(
    cells: Mapping[CellKey, Cell], terms: Mapping[str, Terms], marks: Mapping[str, Mark]
) -> dict[str, dict[str, Any]]:
    """A pair is long its base and short its quote; a share or index counts only as itself, elsewhere."""
    sides: dict[str, list[float]] = {}

    def add(currency: str, long_value: float, short_value: float) -> None:
        side = sides.setdefault(currency, [0.0, 0.0])
        side[0] += long_value
        side[1] += short_value

    for key, cell in cells.items():
        known = terms.get(key.symbol)
        if known is None or known.asset_class not in CURRENCY_BASES or key.symbol not in marks:
            continue
        add(known.base, cell.long_value, cell.short_value)
        add(known.quote, cell.short_value, cell.long_value)
    return {
        currency: {
            "long": round(long_value, ROUND_MONEY),
            "short": round(short_value, ROUND_MONEY),
            "net": round(long_value - short_value, ROUND_MONEY),
            "gross": round(long_value + short_value, ROUND_MONEY),
        }
        for currency, (long_value, short_value) in sides.items()
    }
