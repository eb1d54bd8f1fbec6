"""A house with open positions, made by clients who trade."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.core import clock
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.orders.permissions import SET_KILL_SWITCH
from apps.risk.permissions import VIEW_EXPOSURE
from tests.orders import floor

TUESDAY = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)


@pytest.fixture
def market(transactional_db: None) -> Iterator[None]:
    """Instruments and prices, on a Tuesday morning."""
    with clock.frozen(TUESDAY):
        floor.open_market()
        yield


def staff(number: int, *permissions: object, **scope: object) -> Actor:
    """Somebody of the risk desk."""
    held = permissions or (VIEW_EXPOSURE, SET_KILL_SWITCH)
    return Actor(
        ActorKind.STAFF,
        f"user:{number}",
        f"risk {number}",
        permissions=frozenset(str(p) for p in held),
        scope=Scope(**({"level": ScopeLevel.ALL} | scope)),  # type: ignore[arg-type]
    )
