"""What staff do about deliveries that gave up: try again, or go on without them; and how they learn of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.locks import lock_row, lock_rows
from apps.core.models import Delivery
from apps.core.permissions import RETRY_DELIVERY, SKIP_DELIVERY, Permission

MOST_AT_ONCE = 500
State = Delivery.State


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead letters of one handler."""

    handler: str
    count: int
    oldest: datetime
    example: Delivery


@command
def delivery_retry(*, delivery_id: int, actor: Actor, reason: str) -> Delivery:
    """Give a dead letter another life. Raises `NotVisible`, `NotAllowed`, `WrongState`."""
    delivery = _dead(delivery_id, actor, RETRY_DELIVERY, "retry")
    _revive(delivery, actor, reason)
    return delivery


@command
def delivery_skip(*, delivery_id: int, actor: Actor, reason: str) -> Delivery:
    """Go on without it: its effect never happens, and what waited behind it moves.

    Raises `NotVisible`, `NotAllowed`, `WrongState`.
    """
    delivery = _dead(delivery_id, actor, SKIP_DELIVERY, "skip")
    _skip(delivery, actor, reason)
    return delivery


@command
def deliveries_retry(*, handler: str, actor: Actor, reason: str) -> int:
    """Retry the dead letters of one handler, oldest first, each with its own record; returns how many."""
    actor.require(RETRY_DELIVERY)
    rows = _dead_of(handler, actor)
    for row in rows:
        _revive(row, actor, reason)
    return len(rows)


@command
def deliveries_skip(*, handler: str, actor: Actor, reason: str) -> int:
    """Skip the dead letters of one handler, each with its own record; returns how many."""
    actor.require(SKIP_DELIVERY)
    rows = _dead_of(handler, actor)
    for row in rows:
        _skip(row, actor, reason)
    return len(rows)


def _dead(delivery_id: int, actor: Actor, permission: Permission, verb: str) -> Delivery:
    actor.require(permission)
    row: Delivery = lock_row(Delivery.objects.all(), delivery_id, visible_to=actor)
    if row.state != State.DEAD:
        raise WrongState(state=row.get_state_display(), command=verb)
    return row


def _dead_of(handler: str, actor: Actor) -> list[Delivery]:
    oldest = Delivery.objects.filter(handler=handler, state=State.DEAD).order_by("pk")
    keys = list(oldest.values_list("pk", flat=True)[:MOST_AT_ONCE])
    rows = lock_rows(Delivery.objects.filter(pk__in=keys), visible_to=actor)
    return [row for row in rows if row.state == State.DEAD]


def _revive(row: Delivery, actor: Actor, reason: str) -> None:
    row.state = State.PENDING
    row.attempts = 0
    row.next_at = clock.now()
    row.save()
    _wake_followers(row)
    audit(actor=actor, action="delivery.retry", subject=row, reason=reason)


def _skip(row: Delivery, actor: Actor, reason: str) -> None:
    row.state = State.SKIPPED
    row.done_at = clock.now()
    row.save()
    _wake_followers(row)
    audit(
        actor=actor,
        action="delivery.skip",
        subject=row,
        after={"handler": row.handler, "event": row.event_id, "last_error": row.last_error[:300]},
        reason=reason,
    )


def _wake_followers(row: Delivery) -> None:
    """What waited behind a dead letter need not wait any longer than it does."""
    Delivery.objects.filter(
        lane=row.lane, aggregate=row.aggregate, state=State.PENDING, event_id__gt=row.event_id
    ).update(next_at=clock.now())


def dead_letters(actor: Actor) -> list[DeadLetters]:
    """The dead letters that the actor sees, one line for each handler."""
    rows: Any = Delivery.objects.all().visible_to(actor).filter(state=State.DEAD)
    groups = list(
        rows.values("handler")
        .annotate(count=Count("pk"), oldest=Min("event__created_at"), latest=Max("pk"))
        .order_by("handler")
    )
    examples = Delivery.objects.select_related("event").in_bulk([g["latest"] for g in groups])
    return [
        DeadLetters(g["handler"], g["count"], g["oldest"], examples[g["latest"]]) for g in groups
    ]


def oldest_pending() -> dict[str, float]:
    """Handler → age in seconds of the oldest event that it has not handled, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.handler, extract(epoch FROM clock_timestamp() - min(e.created_at))::float8 "
            "FROM core_delivery d JOIN core_outboxevent e ON e.seq = d.event_id "
            "WHERE d.state = 'PENDING' GROUP BY d.handler"
        )
        rows: Iterable[tuple[str, float]] = cursor.fetchall()
    return {handler: max(0.0, float(age)) for handler, age in rows}
