from __future__ import annotations

import pytest

from tests.clients import world


@pytest.fixture
def house(db, settings, tmp_path):
    with world.open_house(settings, tmp_path / "vault"):
        yield
