from __future__ import annotations

from tests.clients.conftest import house as house
