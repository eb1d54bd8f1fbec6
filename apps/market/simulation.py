"""A market out of a seed: the prices of all instruments, moving together, with the spreads of the hour.

Every instrument is the ratio of two assets ("EURUSD" = EUR / USD), and each asset's log price is one random
walk driven by common factors. So crosses agree with their legs to the point (EURUSD / GBPUSD is EURGBP) and
risk-off days move indices, coins and the yen together. While a market is closed its price stands still and
the walk goes on more quietly: that is the gap at the opening.

The same seed, start and steps give the same quotes on every machine. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from apps.market.bars import MINUTE_US, Bar
from apps.market.sessions import SessionCalendar

YEAR_SECONDS = 365.25 * 86_400
FACTORS = ("DOLLAR", "RISK", "METAL", "COIN")
CLOSED_ACTIVITY = 0.25
HOUR_ACTIVITY = np.array([
    0.7, 0.8, 0.7, 0.6, 0.6, 0.7, 0.9, 1.3, 1.5, 1.3, 1.1, 1.1,
    1.4, 1.7, 1.7, 1.6, 1.2, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.6,
])  # fmt: skip
"""Volatility by hour (UTC) against the day's mean: quiet Asia, London's opening, the overlap with New York."""
HOUR_SPREAD = np.array([
    1.3, 1.2, 1.2, 1.2, 1.2, 1.2, 1.1, 1.0, 1.0, 1.0, 1.0, 1.0,
    1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.2, 1.4, 1.8, 3.0, 2.6, 1.6,
])  # fmt: skip
"""Spread by hour (UTC) against the tight hours; widest around the New York rollover."""


@dataclass(frozen=True)
class AssetModel:
    """How one asset moves: yearly volatility, and the share of variance (signed root) on each factor."""

    code: str
    annual_volatility: float
    loadings: Mapping[str, float]


@dataclass(frozen=True)
class InstrumentModel:
    """What the simulator needs to know of an instrument."""

    symbol: str
    base: str
    quote: str
    digits: int
    price: float
    spread_points: int
    tick_points: int
    calendar: SessionCalendar


@dataclass(frozen=True)
class SimulatedQuote:
    symbol: str
    bid_points: int
    ask_points: int
    ts_us: int


class MarketSimulator:
    """Walks all assets together and quotes the instruments that are open."""

    def __init__(
        self, assets: Sequence[AssetModel], instruments: Sequence[InstrumentModel], *, seed: int
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._index = {asset.code: number for number, asset in enumerate(assets)}
        self._covariance_root = _mixing(assets)
        self._log = np.zeros(len(assets))
        self.instruments = tuple(instruments)
        self._base = np.array([self._index[i.base] for i in instruments])
        self._quote = np.array([self._index[i.quote] for i in instruments])
        self._start = np.log([i.price for i in instruments])
        self._scale = np.array([10.0**i.digits for i in instruments])
        self._tick = np.array([i.tick_points for i in instruments])
        self._spread = np.array([i.spread_points for i in instruments])

    def step(self, at: datetime, seconds: float, share: float = 1.0) -> list[SimulatedQuote]:
        """Move the market by `seconds` to `at` and quote a random `share` of the open instruments."""
        open_now = np.array([i.calendar.is_open(at) for i in self.instruments])
        activity = HOUR_ACTIVITY[at.hour] if open_now.any() else CLOSED_ACTIVITY
        shock = self._rng.standard_normal(self._covariance_root.shape[1])
        self._log += self._covariance_root @ shock * np.sqrt(seconds / YEAR_SECONDS) * activity
        chosen = open_now & (self._rng.random(len(self.instruments)) < share)
        wide = self._rng.lognormal(0.0, 0.18, len(self.instruments))
        mids = self._mids()
        spreads = self._spreads(HOUR_SPREAD[at.hour], wide)
        bids = self._to_tick(mids - spreads / 2)
        ts_us = round(at.timestamp() * 1_000_000)
        return [
            SimulatedQuote(
                self.instruments[n].symbol, int(bids[n]), int(bids[n] + spreads[n]), ts_us
            )
            for n in np.flatnonzero(chosen)
        ]

    def anchor(self, symbol: str, price: float) -> None:
        """Let one instrument go on from another price, as after a replay of recorded quotes."""
        for number, instrument in enumerate(self.instruments):
            if instrument.symbol == symbol:
                drift = self._log[self._base[number]] - self._log[self._quote[number]]
                self._start[number] = np.log(price) - drift

    def history(
        self, start: datetime, minutes: int, inner: int = 6
    ) -> dict[str, tuple[np.ndarray, ...]]:
        """Minute bars that end at the model's prices: columns start_us, o, h, l, c, spread, for each symbol.

        The walk is drawn forwards and then tilted so that its last value is today's price, which keeps the
        live feed joined to its past without a jump.
        """
        size = (minutes * inner, self._covariance_root.shape[1])
        stamps = round(start.timestamp()) + np.arange(minutes * inner) * (60 // inner)
        activity = HOUR_ACTIVITY[(stamps // 3600) % 24][:, None]
        shocks = self._rng.standard_normal(size) @ self._covariance_root.T
        walk = np.cumsum(shocks * activity * np.sqrt(60 / inner / YEAR_SECONDS), axis=0)
        walk -= walk[-1]
        starts = np.arange(minutes) * 60 + round(start.timestamp())
        return {
            instrument.symbol: self._minute_columns(number, instrument, walk, starts, inner)
            for number, instrument in enumerate(self.instruments)
        }

    def _minute_columns(
        self,
        number: int,
        instrument: InstrumentModel,
        walk: np.ndarray,
        starts: np.ndarray,
        inner: int,
    ) -> tuple[np.ndarray, ...]:
        log = self._start[number] + walk[:, self._base[number]] - walk[:, self._quote[number]]
        spread = self._spreads(HOUR_SPREAD[(starts // 3600) % 24], 1.0, number)
        mids = (np.exp(log) * self._scale[number]).reshape(-1, inner)
        bids = np.rint((mids - spread[:, None] / 2) / self._tick[number]).astype(np.int64)
        bids *= int(self._tick[number])
        is_open = open_mask(instrument.calendar, starts)
        columns = (
            starts * 1_000_000,
            bids[:, 0],
            bids.max(axis=1),
            bids.min(axis=1),
            bids[:, -1],
            spread,
        )
        return tuple(column[is_open] for column in columns)

    def _mids(self) -> np.ndarray:
        log = self._start + self._log[self._base] - self._log[self._quote]
        return np.exp(log) * self._scale

    def _spreads(
        self, hour: np.ndarray | float, jitter: np.ndarray | float, number: int | None = None
    ) -> np.ndarray:
        base = self._spread if number is None else self._spread[number]
        tick = self._tick if number is None else self._tick[number]
        return np.maximum(tick, np.rint(base * hour * jitter / tick) * tick).astype(np.int64)

    def _to_tick(self, points: np.ndarray) -> np.ndarray:
        return (np.maximum(1, np.rint(points / self._tick)) * self._tick).astype(np.int64)


def open_mask(calendar: SessionCalendar, starts: np.ndarray) -> np.ndarray:
    """Which of the minutes (seconds since the epoch, ascending) begin while the calendar is open."""
    mask = np.zeros(len(starts), dtype=bool)
    if not len(starts):
        return mask
    at, last = (datetime.fromtimestamp(int(starts[n]), tz=UTC) for n in (0, -1))
    while at <= last:
        opens = calendar.next_open(at)
        if opens is None or opens > last:
            break
        closes = calendar.next_close(opens)
        if closes is None:
            mask[np.searchsorted(starts, opens.timestamp()) :] = True
            break
        low, high = np.searchsorted(starts, [opens.timestamp(), closes.timestamp()])
        mask[low:high] = True
        at = closes
    return mask


def columns_to_bars(columns: tuple[np.ndarray, ...], ticks: int = 60) -> list[Bar]:
    """Minute columns of `history` as bars."""
    return [
        Bar(start, o, h, low, c, spread, spread, ticks)
        for start, o, h, low, c, spread in zip(*(col.tolist() for col in columns), strict=True)
    ]


def hour_columns(columns: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Minute columns merged into hours: start, open, high, low, close, spread min, spread max, minutes."""
    start, o, h, low, c, spread = columns
    hours = start - start % (60 * MINUTE_US)
    first = (
        np.flatnonzero(np.r_[True, hours[1:] != hours[:-1]]) if len(hours) else np.array([], int)
    )
    last = np.r_[first[1:], len(hours)] - 1 if len(hours) else first
    if not len(first):
        return (start, o, h, low, c, spread, spread, start)
    return (
        hours[first],
        o[first],
        np.maximum.reduceat(h, first),
        np.minimum.reduceat(low, first),
        c[last],
        np.minimum.reduceat(spread, first),
        np.maximum.reduceat(spread, first),
        last - first + 1,
    )


def _mixing(assets: Sequence[AssetModel]) -> np.ndarray:
    """Rows = assets; columns = the common factors, then one own shock each; row norms = volatility."""
    matrix = np.zeros((len(assets), len(FACTORS) + len(assets)))
    for number, asset in enumerate(assets):
        common = np.array([asset.loadings.get(factor, 0.0) for factor in FACTORS])
        own = max(0.0, 1.0 - float(common @ common)) ** 0.5
        matrix[number, : len(FACTORS)] = common * asset.annual_volatility
        matrix[number, len(FACTORS) + number] = own * asset.annual_volatility
    return matrix
