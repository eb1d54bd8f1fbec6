from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.core.actor import Actor
from apps.rules.compiled import forget_compiled
from apps.rules.services import load_rule_files

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh_rules_cache():
    forget_compiled()
    yield
    forget_compiled()


@pytest.fixture
def system() -> Actor:
    return Actor.system("tests")


@pytest.fixture
def loaded(transactional_db, system):
    """The rule files in force."""
    return load_rule_files(actor=system)
