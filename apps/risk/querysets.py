"""Kill switches concern the house: whoever may look at them sees all of them."""

from __future__ import annotations

from typing import Self

from apps.core.actor import Actor, ActorKind
from apps.core.querysets import ScopedQuerySet
from apps.risk.enums import SwitchState


class KillSwitchQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        insiders = (ActorKind.STAFF, ActorKind.SYSTEM)
        return self if actor.kind in insiders else self.none()

    def in_force(self) -> Self:
        return self.exclude(state=SwitchState.REARMED)
