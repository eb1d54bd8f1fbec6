"""The simulated market: repeatable, consistent across crosses, closed when it is closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from apps.market.sessions import ALWAYS_OPEN, SessionCalendar
from apps.market.simulation import (
    AssetModel,
    InstrumentModel,
    MarketSimulator,
    columns_to_bars,
    hour_columns,
    open_mask,
)
from tests.market.test_sessions import forex, utc

ASSETS = [
    AssetModel("USD", 0.0001, {}),
    AssetModel("EUR", 0.07, {"DOLLAR": -0.7}),
    AssetModel("GBP", 0.08, {"DOLLAR": -0.6, "RISK": 0.3}),
    AssetModel("US500", 0.15, {"RISK": 0.9}),
    AssetModel("NAS100", 0.2, {"RISK": 0.9}),
]
NOON = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)


def instrument(
    symbol: str, base: str, quote: str, price: float, calendar: SessionCalendar = ALWAYS_OPEN
) -> InstrumentModel:
    return InstrumentModel(symbol, base, quote, 5, price, 8, 1, calendar)


FX = [
    instrument("EURUSD", "EUR", "USD", 1.085),
    instrument("GBPUSD", "GBP", "USD", 1.265),
    instrument("EURGBP", "EUR", "GBP", 1.085 / 1.265),
]


def test_the_same_seed_gives_the_same_market_and_another_seed_another():
    def run(seed: int):
        simulator = MarketSimulator(ASSETS, FX, seed=seed)
        return [simulator.step(NOON + timedelta(seconds=n), 1.0, 0.7) for n in range(50)]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_a_cross_agrees_with_its_legs():
    simulator = MarketSimulator(ASSETS, FX, seed=3)

    for hour in range(200):
        quotes = {q.symbol: q for q in simulator.step(NOON + timedelta(hours=hour), 3600)}
    mids = {s: (q.bid_points + q.ask_points) / 2e5 for s, q in quotes.items()}

    assert mids["EURUSD"] != pytest.approx(1.085, abs=1e-4)
    assert mids["EURUSD"] / mids["GBPUSD"] == pytest.approx(mids["EURGBP"], abs=3e-5)


def test_every_quote_has_two_sides_on_the_tick_grid():
    wide = InstrumentModel("6EH7", "EUR", "USD", 5, 1.0905, 10, 5, ALWAYS_OPEN)
    simulator = MarketSimulator(ASSETS, [wide], seed=1)

    quotes = [q for n in range(300) for q in simulator.step(NOON + timedelta(seconds=n), 1.0)]

    assert len(quotes) == 300
    assert all(q.ask_points - q.bid_points >= 5 for q in quotes)
    assert all(q.bid_points % 5 == 0 and q.ask_points % 5 == 0 for q in quotes)


def test_a_closed_market_is_silent_and_opens_with_a_gap():
    simulator = MarketSimulator(
        ASSETS, [instrument("EURUSD", "EUR", "USD", 1.085, forex())], seed=5
    )
    friday = simulator.step(utc("2026-11-20 21:54:59"), 1.0)
    weekend = [
        simulator.step(utc("2026-11-20 22:00:00") + timedelta(hours=n), 3600) for n in range(48)
    ]
    sunday = simulator.step(utc("2026-11-22 22:05:00"), 1.0)

    assert [len(friday), len(sunday)] == [1, 1]
    assert not any(weekend)
    assert abs(sunday[0].bid_points - friday[0].bid_points) > 5


def test_the_spread_is_widest_around_the_rollover():
    simulator = MarketSimulator(ASSETS, FX[:1], seed=5)

    def spread(hour: int) -> float:
        at = NOON.replace(hour=hour)
        quotes = [simulator.step(at, 0.1)[0] for _ in range(200)]
        return float(np.mean([q.ask_points - q.bid_points for q in quotes]))

    assert spread(21) > 2 * spread(14)


def test_indices_move_together():
    pair = [instrument("US500", "US500", "USD", 5200), instrument("NAS100", "NAS100", "USD", 18200)]
    simulator = MarketSimulator(ASSETS, pair, seed=11)
    steps = [simulator.step(NOON + timedelta(minutes=n), 60) for n in range(2000)]
    logs = np.log([[q.bid_points for q in step] for step in steps])
    moves = np.diff(logs, axis=0)

    assert np.corrcoef(moves.T)[0, 1] > 0.7


def test_history_ends_at_the_price_from_which_the_feed_goes_on():
    simulator = MarketSimulator(ASSETS, FX, seed=9)
    start = NOON - timedelta(days=3)

    bars = columns_to_bars(simulator.history(start, 3 * 1440)["EURUSD"])

    assert len(bars) == 3 * 1440
    assert abs(bars[-1].close - 108_496) <= 1
    assert all(b.low <= min(b.open, b.close) <= max(b.open, b.close) <= b.high for b in bars)
    assert [b.start_us for b in bars[:2]] == [
        round(start.timestamp()) * 1_000_000 + n * 60_000_000 for n in range(2)
    ]


def test_history_has_no_bar_while_the_market_was_closed():
    simulator = MarketSimulator(
        ASSETS, [instrument("EURUSD", "EUR", "USD", 1.085, forex())], seed=5
    )
    start = utc("2026-11-20 00:00:00")

    columns = simulator.history(start, 4 * 1440, inner=2)["EURUSD"]
    bars = columns_to_bars(columns)

    calendar = forex()
    opened = [datetime.fromtimestamp(b.start_us / 1e6, tz=UTC) for b in bars]
    expected = sum(calendar.is_open(start + timedelta(minutes=n)) for n in range(4 * 1440))
    assert len(bars) == expected
    assert all(calendar.is_open(at) for at in opened)


def test_hours_are_merged_from_the_minutes_of_the_history():
    simulator = MarketSimulator(ASSETS, FX, seed=9)
    minute = simulator.history(NOON - timedelta(hours=2), 120)["EURUSD"]

    starts, o, h, low, c, smin, smax, count = hour_columns(minute)

    assert count.tolist() == [60, 60]
    assert o.tolist() == [minute[1][0], minute[1][60]]
    assert h.tolist() == [minute[2][:60].max(), minute[2][60:].max()]
    assert low.tolist() == [minute[3][:60].min(), minute[3][60:].min()]
    assert c.tolist() == [minute[4][59], minute[4][119]]
    assert (smin <= smax).all()
    assert starts[1] - starts[0] == 3_600_000_000


def test_a_calendar_that_is_never_open_masks_everything():
    closed = SessionCalendar(forex().timezone, ())
    starts = np.arange(100) * 60

    assert not open_mask(closed, starts).any()
    assert open_mask(ALWAYS_OPEN, starts).all()
    assert len(open_mask(ALWAYS_OPEN, starts[:0])) == 0


def test_an_instrument_goes_on_from_where_a_replay_left_it():
    simulator = MarketSimulator(ASSETS, FX, seed=2)
    simulator.step(NOON, 3600)

    simulator.anchor("EURUSD", 1.2)
    quotes = {q.symbol: q for q in simulator.step(NOON, 0.0)}

    assert abs(quotes["EURUSD"].bid_points - 120_000) < 20
    assert abs(quotes["GBPUSD"].bid_points - 126_500) < 2_000
