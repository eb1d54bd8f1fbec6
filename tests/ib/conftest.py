from __future__ import annotations

import pytest

from apps.core.actor import Actor
from apps.rules.compiled import forget_compiled
from apps.rules.services import load_rule_files

from . import world


@pytest.fixture
def market(db):
    """Rules in force and one instrument."""
    forget_compiled()
    load_rule_files(actor=Actor.system("tests"))
    world.instrument()
    yield
    forget_compiled()


@pytest.fixture
def tree(market):
    """Master at 10, sub at 7, sub-sub at 4 dollars a lot, and a client of the last."""
    master = world.partner("ivy", world.plan("ten", "10"))
    sub = world.partner("sub", world.plan("seven", "7"), under=master)
    subsub = world.partner("subsub", world.plan("four", "4"), under=sub)
    return master, sub, subsub
