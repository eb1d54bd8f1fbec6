from __future__ import annotations

import pytest

from apps.clients.management.commands.load_entities import entities_load
from apps.core import clock
from apps.rules.compiled import forget_compiled
from apps.rules.services import load_rule_files
from apps.users.roles import load_roles

from . import world


@pytest.fixture
def house(db, settings, tmp_path):
    """Companies, rules and roles in force, on a morning in November; documents go to a scratch vault."""
    settings.PRIVATE_STORAGE_ROOT = tmp_path / "vault"
    forget_compiled()
    with clock.frozen(world.AT):
        load_roles()
        load_rule_files(actor=world.SYSTEM)
        entities_load(actor=world.SYSTEM)
        yield
    forget_compiled()
