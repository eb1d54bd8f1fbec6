"""The instrument master that comes with the system, loaded once per test that wants it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.core.actor import Actor
from apps.market.feeding import QuotePublisher, Tick, master_data
from apps.market.quotes import to_us
from apps.market.services import instruments_load

ACTOR = Actor.system("tests")


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
