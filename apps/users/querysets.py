"""Who sees which logins, grants and reviews."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.models import Permission
from django.db.models import Q

from apps.core import clock
from apps.core.actor import Actor, ActorKind, ScopeLevel
from apps.core.querysets import ScopedQuerySet


def _reads_staff(actor: Actor) -> bool:
    """Whether a limited actor sees colleagues at all: nobody does whose level is nothing."""
    scope = actor.scope
    return (
        actor.kind is ActorKind.STAFF
        and scope.level is not ScopeLevel.NONE
        and bool(scope.entities)
    )


class UserQuerySet(ScopedQuerySet):
    """Staff limited to companies see the staff of those companies, never the logins of clients."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.scope.level is ScopeLevel.ALL:
            return self
        if not _reads_staff(actor):
            return self.none()
        return self.filter(is_staff=True, entities__overlap=sorted(actor.scope.entities))

    def staff(self) -> Self:
        """Members of staff who can sign in."""
        return self.filter(is_staff=True, is_active=True)

    def holding(self, codes: Iterable[str], at: datetime | None = None) -> Self:
        """Members of staff who hold any of these permissions at this moment."""
        at = at or clock.now()
        wanted = Q(pk__in=[])
        for code in codes:
            app, _, name = code.partition(".")
            wanted |= Q(content_type__app_label=app, codename=name)
        rows = Permission.objects.filter(wanted)
        by_role = Q(
            Q(grants__valid_until=None) | Q(grants__valid_until__gt=at),
            grants__valid_from__lte=at,
            grants__role__permissions__in=rows,
        )
        return self.staff().filter(by_role | Q(user_permissions__in=rows)).distinct()


class OfUserQuerySet(ScopedQuerySet):
    """Rows about one login: seen by those who see the login."""

    user_path = "user"

    def visible_to(self, actor: Actor) -> Self:
        if actor.scope.level is ScopeLevel.ALL:
            return self
        if not _reads_staff(actor):
            return self.none()
        lookups: dict[str, Any] = {
            f"{self.user_path}__is_staff": True,
            f"{self.user_path}__entities__overlap": sorted(actor.scope.entities),
        }
        return self.filter(**lookups)


class RoleGrantQuerySet(OfUserQuerySet):
    def in_force(self, at: datetime | None = None) -> Self:
        """Grants that give something at this moment; the last instant is not part of the time."""
        at = at or clock.now()
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at), valid_from__lte=at)

    def not_over(self, at: datetime | None = None) -> Self:
        """Grants in force or still to begin."""
        at = at or clock.now()
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at))
