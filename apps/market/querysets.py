"""The market is the same for everybody who works here and for every client; outsiders see nothing."""

from __future__ import annotations

from typing import Self

from apps.core.actor import Actor
from apps.core.querysets import ScopedQuerySet


class MarketQuerySet(ScopedQuerySet):
    """Reference data: no row belongs to a client, a desk or an entity."""

    def visible_to(self, actor: Actor) -> Self:
        return self
