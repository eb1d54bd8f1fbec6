from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.core import clock
from tests.orders import floor

TRADING_HOURS = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)  # a Tuesday on which everything trades


@pytest.fixture
def market(db):
    """Instruments and prices, on a Tuesday morning; the engine is decided inline, in the test's transaction."""
    with clock.frozen(TRADING_HOURS):
        floor.open_market()
        yield


@pytest.fixture
def committed_market(transactional_db):
    """The same, committed, for an engine that runs in a thread of its own."""
    with clock.frozen(TRADING_HOURS):
        floor.open_market()
        yield
