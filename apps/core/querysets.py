"""Row scope as a query: who may see which rows, the same for lists, objects, pickers and exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.core.actor import Actor, ActorKind, ScopeLevel


class ScopedQuerySet(models.QuerySet[Any]):
    """Rows that know to whom they belong.

    `scope_paths` maps an axis (`client`, `partner`, `owner`, `desk`, `entity`) to the lookup that reaches
    it. An axis that is not mapped shows nothing to those who are limited to it.
    """

    scope_paths: ClassVar[dict[str, str]] = {}

    def visible_to(self, actor: Actor) -> Self:
        """The rows within the actor's scope; none by default."""
        if actor.scope.level is ScopeLevel.ALL:
            return self
        condition = self._scope_condition(actor)
        return self.filter(condition) if condition is not None else self.none()

    def _scope_condition(self, actor: Actor) -> Q | None:
        paths = self.scope_paths
        if actor.kind is ActorKind.CLIENT:
            return Q(**{f"{paths['client']}__in": actor.client_ids}) if "client" in paths else None
        if actor.kind is ActorKind.PARTNER:
            return (
                Q(**{f"{paths['partner']}__in": actor.partner_ids}) if "partner" in paths else None
            )
        condition = self._entity_condition(actor)
        match actor.scope.level:
            case ScopeLevel.ENTITY:
                return condition
            case ScopeLevel.DESK if "desk" in paths and actor.scope.desk_id is not None:
                return Q(**{paths["desk"]: actor.scope.desk_id}) & (condition or Q())
            case ScopeLevel.OWN if "owner" in paths and actor.user_id is not None:
                return Q(**{paths["owner"]: actor.user_id}) & (condition or Q())
        return None

    def _entity_condition(self, actor: Actor) -> Q | None:
        if "entity" not in self.scope_paths or not actor.scope.entities:
            return None
        return Q(**{f"{self.scope_paths['entity']}__in": actor.scope.entities})


ClientsInScope = Callable[[Actor], models.QuerySet[Any]]
_CLIENTS: list[ClientsInScope] = []


def register_client_scope(lookup: ClientsInScope) -> None:
    """Let the app that has clients say which of them an actor sees: a queryset of their ids, under `pk`."""
    _CLIENTS[:] = [lookup]


class TrailQuerySet(ScopedQuerySet):
    """Rows that name a client without a foreign key: staff with a narrower scope see those of their clients."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.scope.level is ScopeLevel.ALL:
            return self
        if actor.kind is not ActorKind.STAFF or not _CLIENTS:
            return self.none()
        return self.filter(client_id__in=_CLIENTS[0](actor))


class MachineryQuerySet(ScopedQuerySet):
    """Rows about everybody's doings that say nothing of whose: for those alone who see the whole house."""
