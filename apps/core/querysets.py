"""Row scope as a query: who may see which rows, the same for lists, objects, pickers and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.core.actor import Actor, ActorKind, ScopeLevel

L = ScopeLevel


class ScopedQuerySet(models.QuerySet[Any]):
    """Rows that know to whom they belong.

    `scope_paths` maps an axis to the lookup that reaches it: `client`, `partner`, `owner`, `team`, `desk`,
    `jurisdiction`, `entity`; `subject_client` for rows about a client that only staff may read. Whoever is
    limited to an axis that is not mapped sees the rows about the clients in their scope, if the rows name a
    client, and otherwise nothing.
    """

    scope_paths: ClassVar[dict[str, str]] = {}

    def visible_to(self, actor: Actor) -> Self:
        """The rows within the actor's scope, and those that were shared with them; none by default."""
        if actor.scope.level is L.ALL:
            return self
        conditions = [c for c in self._conditions(actor) if c is not None]
        return self.filter(reduce(or_, conditions)) if conditions else self.none()

    def _conditions(self, actor: Actor) -> list[Q | None]:
        if actor.kind is ActorKind.CLIENT:
            return [self._within("client", actor.client_ids)]
        if actor.kind is ActorKind.PARTNER:
            return [self._within("partner", actor.partner_ids)]
        return [self._level_condition(actor), *self._shared_conditions(actor)]

    def _within(self, axis: str, values: Iterable[Any]) -> Q | None:
        path = self.scope_paths.get(axis)
        return Q(**{f"{path}__in": values}) if path else None

    def _level_condition(self, actor: Actor) -> Q | None:
        """The rows that the actor's own level reaches; a narrower level stays within the actor's entities."""
        scope = actor.scope
        if scope.level is L.ENTITY:
            return self._within("entity", scope.entities) if scope.entities else None
        axis, values = _reach(actor)
        if not values:
            return None
        condition = self._within(axis, values)
        if condition is None:
            return self._through_clients(actor)
        if not scope.entities:
            return condition
        limit = self._within("entity", scope.entities)
        return condition & limit if limit is not None else None

    def _through_clients(self, actor: Actor) -> Q | None:
        path = self._client_path()
        return Q(**{f"{path}__in": _CLIENTS[0](actor)}) if path and _CLIENTS else None

    def _shared_conditions(self, actor: Actor) -> list[Q | None]:
        """What dated exceptions add. A share of a client reaches everything that names the client."""
        paths = {**self.scope_paths, "client": self._client_path()}
        return [
            Q(**{f"{paths[axis]}__in": keys})
            for axis, keys in actor.scope.shared.items()
            if keys and paths.get(axis)
        ]

    def _client_path(self) -> str:
        return self.scope_paths.get("client") or self.scope_paths.get("subject_client") or ""


def _reach(actor: Actor) -> tuple[str, Iterable[Any]]:
    """The axis of the actor's level and the values on it; no values for somebody who has none."""
    scope = actor.scope
    return {
        L.OWN: ("owner", [actor.user_id] if actor.user_id is not None else []),
        L.TEAM: ("team", scope.team_ids),
        L.DESK: ("desk", [scope.desk_id] if scope.desk_id is not None else []),
        L.JURISDICTION: ("jurisdiction", scope.jurisdictions),
    }.get(scope.level, ("", []))


ClientsInScope = Callable[[Actor], models.QuerySet[Any]]
_CLIENTS: list[ClientsInScope] = []


def register_client_scope(lookup: ClientsInScope) -> None:
    """Let the app that has clients say which of them an actor sees: a queryset of their ids, under `pk`."""
    _CLIENTS[:] = [lookup]


def clients_in_scope(actor: Actor, client_ids: Iterable[Any]) -> set[Any]:
    """Which of these clients the actor sees."""
    if not _CLIENTS:
        return set()
    return set(_CLIENTS[0](actor).filter(pk__in=list(client_ids)).values_list("pk", flat=True))


SharedKeys = Callable[[int], Iterable[Any]]
_SHARES: dict[str, SharedKeys] = {}


def register_shares(axis: str, lookup: SharedKeys) -> None:
    """Let an app say which of its objects are shared with a user at this instant: `lookup(user_id)` → keys."""
    _SHARES[axis] = lookup


def shared_with(user_id: int) -> dict[str, frozenset[Any]]:
    """Every dated exception in force for this user, by axis. Asked anew for each request, so none outlives its date."""
    return {axis: frozenset(lookup(user_id)) for axis, lookup in _SHARES.items()}


class TrailQuerySet(ScopedQuerySet):
    """Rows that name a client without a foreign key: staff with a narrower scope see those of their clients."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.scope.level is L.ALL:
            return self
        if actor.kind is not ActorKind.STAFF or not _CLIENTS:
            return self.none()
        return self.filter(client_id__in=_CLIENTS[0](actor))


class MachineryQuerySet(ScopedQuerySet):
    """Rows about everybody's doings that say nothing of whose: for those alone who see the whole house."""
