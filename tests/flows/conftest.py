"""A brokerage for whole stories: every service, rule and simulator real, under a clock that the story holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.core import clock
from apps.portal.seed.office import load_reference_data
from apps.portal.seed.surroundings import outside_world
from apps.rules.compiled import forget_compiled
from tests.flows.brokerage import Brokerage

TUESDAY_MORNING = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)


@pytest.fixture
def brokerage(transactional_db: None, tmp_path) -> Iterator[Brokerage]:
    """Reference data, staff, partners' plans, platform and provider over HTTP, on a Tuesday morning."""
    forget_compiled()
    with clock.frozen(TUESDAY_MORNING):
        load_reference_data()
        with outside_world(tmp_path) as outside:
            yield Brokerage(outside)
    forget_compiled()
