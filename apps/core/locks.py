"""Row locks: in the order of the primary key, evaluated at once, never waited for longer than three seconds."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import connection, models

from apps.core.actor import Actor
from apps.core.errors import NotVisible

M = TypeVar("M", bound=models.Model)
LOCK_TIMEOUT = "3s"


def lock_rows(queryset: models.QuerySet[M], *, visible_to: Actor | None = None) -> list[M]:
    """Lock and return the rows of `queryset` that the actor sees. Raises outside a transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("rows are locked inside a command")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    visible: Any = queryset
    if visible_to is not None:
        keys = visible.visible_to(visible_to).values("pk")
        visible = queryset.filter(pk__in=keys)
    return list(visible.order_by("pk").select_for_update(of=("self",), no_key=True))


def lock_row(queryset: models.QuerySet[M], pk: Any, *, visible_to: Actor | None = None) -> M:
    """Lock and return one row. Raises `NotVisible` when it is absent or out of the actor's scope."""
    rows = lock_rows(queryset.filter(pk=pk), visible_to=visible_to)
    if not rows:
        raise NotVisible
    return rows[0]
