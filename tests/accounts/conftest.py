from __future__ import annotations

import pytest

from apps.accounts.adapters import simulator
from apps.core.actor import Actor
from apps.rules.compiled import forget_compiled
from apps.rules.services import load_rule_files

from . import world


@pytest.fixture
def platform(tmp_path):
    """The simulated platform over real HTTP; `platform.faults` makes it misbehave."""
    server = simulator.start(port=0, home=tmp_path / "platform")
    server.faults = server.RequestHandlerClass.faults
    server.book = server.RequestHandlerClass.book
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(db, platform):
    """Rules, margin classes and the catalogue in force, with the platform running."""
    forget_compiled()
    load_rule_files(actor=Actor.system("tests"))
    world.margin_classes()
    world.load_catalogue(platform)
    yield platform
    forget_compiled()
