"""Which rows an actor may see, as queries: whoever matches none of the columns sees nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from apps.core.actor import Actor, ActorKind, ScopeLevel
from apps.core.querysets import ScopedQuerySet
from apps.users.scopes import GrantQuerySet


def client_axes(prefix: str = "") -> dict[str, str]:
    """Every axis of scope along the way to a client: `client_axes("account__client__")`."""
    key = f"{prefix.removesuffix('__')}_id" if prefix else "id"
    return {
        "client": key,
        "owner": f"{prefix}owner_id",
        "team": f"{prefix}owner__team_id",
        "desk": f"{prefix}desk_id",
        "jurisdiction": f"{prefix}country",
        "entity": f"{prefix}entity__code",
    }


class ClientQuerySet(ScopedQuerySet):
    scope_paths = client_axes()


class ClientOwnedQuerySet(ScopedQuerySet):
    """Rows that hang on one client by `client`."""

    scope_paths = client_axes("client__")


class PairQuerySet(ClientOwnedQuerySet):
    """Rows about two clients: only for those who see both, since each says something of the other."""

    def visible_to(self, actor: Actor) -> Self:
        seen = super().visible_to(actor)
        if actor.scope.level is ScopeLevel.ALL:
            return seen
        others: Any = self.model._meta.get_field("other").related_model
        return seen.filter(other_id__in=others.objects.visible_to(actor).values("pk"))


class PersonQuerySet(ScopedQuerySet):
    """People, each once however many of their relationships are in scope."""

    scope_paths = {**client_axes("clients__"), "client": "clients__id"}

    def visible_to(self, actor: Actor) -> Self:
        if actor.scope.level is ScopeLevel.ALL:
            return self
        people = self.model._default_manager.all()
        seen = super(PersonQuerySet, people).visible_to(actor)
        return self.filter(pk__in=seen.values("pk"))


class ShareQuerySet(ScopedQuerySet, GrantQuerySet):  # type: ignore[override]
    """Shares of clients: whoever sees the client sees with whom it is shared."""

    scope_paths = client_axes("content_object__")


class EntityQuerySet(ScopedQuerySet):
    scope_paths = {"entity": "code"}


class EntityRuleQuerySet(ScopedQuerySet):
    """Rules of one entity, and those of all, which everybody with a scope may read."""

    scope_paths = {"entity": "entity__code"}

    def visible_to(self, actor: Actor) -> Self:
        if actor.kind is not ActorKind.STAFF or actor.scope.level is ScopeLevel.ALL:
            return super().visible_to(actor)
        if actor.scope.level is ScopeLevel.NONE:
            return self.none()
        return self.filter(Q(entity=None) | Q(entity__code__in=actor.scope.entities))


class AgreementQuerySet(ScopedQuerySet):
    scope_paths = {"entity": "entity__code"}


class RestrictionQuerySet(ClientOwnedQuerySet):
    def in_force(self, at: datetime) -> RestrictionQuerySet:
        """Those that bind at this instant: not lifted and not run out."""
        return self.filter(lifted_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))

    def run_out(self, at: datetime) -> RestrictionQuerySet:
        """Those whose time is over and whose end nobody has recorded yet."""
        return self.filter(lifted_at=None, expires_at__lte=at)
