"""Telling whoever may do something about it."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.core.actor import Actor, ScopeLevel
from apps.core.models import Notification
from apps.core.notifications import Kind, notify
from apps.core.permissions import Permission
from apps.users.models import User
from apps.users.selectors import actor_for


def holders_of(
    permission: Permission | str, *, entity: str = "", subject: models.Model | None = None
) -> list[User]:
    """Active staff who hold `permission` and whose scope reaches what it is about.

    With a `subject` each of them is asked whether the row is visible to them, by the same query as on every
    page; with an `entity` alone, whether they work for it.
    """
    staff = User.objects.holding([str(permission)]).order_by("pk")
    return [user for user in staff if _reaches(user, entity, subject)]


def _reaches(user: User, entity: str, subject: models.Model | None) -> bool:
    actor = actor_for(user)
    if subject is not None:
        rows: Any = type(subject)._default_manager.filter(pk=subject.pk)
        return bool(rows.visible_to(actor).exists())
    return not entity or actor.scope.level is ScopeLevel.ALL or entity in actor.scope.entities


def notify_holders(
    permission: Permission | str,
    *,
    kind: str | Kind,
    title: Any,
    actor: Actor,
    url: str = "",
    entity: str = "",
    subject: models.Model | None = None,
    key: str = "",
    exclude: frozenset[int] = frozenset(),
) -> list[Notification]:
    """`notify` for everybody who holds `permission` and sees what it is about, but for `exclude`."""
    holders = holders_of(permission, entity=entity, subject=subject)
    return notify(
        user_ids=[user.pk for user in holders if user.pk not in exclude],
        kind=kind,
        title=title,
        url=url,
        actor=actor,
        key=key,
    )
