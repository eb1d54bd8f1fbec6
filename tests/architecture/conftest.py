"""The sweeps share one house, and look at it without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.architecture.house import House, built_house


@pytest.fixture(autouse=True)
def fresh_redis() -> None:
    """The house's prices stay."""


@pytest.fixture(scope="package")
def house(
    django_db_setup: None,
    django_db_blocker: Any,
    _redis_connection: redis.Redis,
    tmp_path_factory: Any,
) -> Iterator[House]:
    _redis_connection.flushdb()
    with django_db_blocker.unblock(), built_house(tmp_path_factory.mktemp("outside")) as built:
        yield built
