from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.core import clock
from tests.orders import floor

TRADING_HOURS = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)  # a Tuesday on which everything trades


@pytest.fixture
def market(transactional_db):
    """Instruments and prices, on a Tuesday morning."""
    with clock.frozen(TRADING_HOURS):
        floor.open_market()
        yield
