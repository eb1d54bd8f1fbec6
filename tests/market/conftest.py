"""The instrument master that comes with the system, loaded once per test that wants it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.core.actor import Actor
from apps.market.feeding import QuotePublisher, Tick, master_data
from apps.market.quotes import to_us
from apps.market.services import instruments_load

ACTOR = Actor.system("tests")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def actor() -> Actor:
    return ACTOR


@pytest.fixture
def master(transactional_db: None, actor: Actor) -> None:
    """All instruments, calendars and venues of the data file."""
    instruments_load(data=master_data(), actor=actor, reason="test")


@pytest.fixture
def quote() -> Callable[[str, str, str], None]:
    """Publishes one quote, given as decimal text."""
    from decimal import Decimal

    from apps.core import clock
    from apps.market.selectors import instrument_get

    def publish(symbol: str, bid: str, ask: str) -> None:
        digits = instrument_get(symbol).digits
        publisher = QuotePublisher("TEST", {symbol: digits})
        points = [int(Decimal(text).scaleb(digits)) for text in (bid, ask)]
        publisher.publish([Tick(symbol, *points, to_us(clock.now()))])

    return publish


@pytest.fixture
def market_files() -> Path:
    """Real market files, where somebody put them; the test is skipped where nobody did."""
    named = os.environ.get("BROKEROS_MARKET_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "market"
    if not folder.is_dir():
        pytest.skip("no recorded market data here; set BROKEROS_MARKET_DATA")
    return folder
