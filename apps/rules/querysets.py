from __future__ import annotations

from typing import Self

from django.db.models import Q

from apps.core.actor import Actor, ActorKind, ScopeLevel
from apps.core.querysets import ScopedQuerySet


class RuleSetQuerySet(ScopedQuerySet):
    """Staff read the rules common to all and those of their entities; nobody else reads rules."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.kind not in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.none()
        if actor.scope.level is ScopeLevel.ALL:
            return self
        return self.filter(Q(entity="") | Q(entity__in=actor.scope.entities))


class DecisionLogQuerySet(ScopedQuerySet):
    """Receipts carry the entity and the client, so each person sees those of their own scope."""

    scope_paths = {"client": "client_id", "entity": "entity"}
