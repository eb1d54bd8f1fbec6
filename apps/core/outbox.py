"""The relay's work: hand each event to its reactions, in order within an aggregate, until it is done.

An event becomes one `Delivery` for each reaction. A delivery is sent to a worker, and sent again when
nothing was heard of it; the worker locks it, runs the reaction and marks it done in the same
transaction. After `MAX_ATTEMPTS` failures it is a dead letter that staff can retry. Somebody who does not answer
(status 503) is no failure: they are told again, at least every minute, for as long as it takes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Min

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command, joined
from apps.core.context import RequestContext, set_request
from apps.core.errors import WrongState
from apps.core.events import BY_EVENT, HANDLERS, Event, Handler, event_from
from apps.core.ids import new_id
from apps.core.locks import lock_row
from apps.core.models import Delivery, OutboxEvent
from apps.core.permissions import RETRY_DELIVERY

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
RESEND_AFTER = timedelta(seconds=30)
BACKOFF_SECONDS = (1, 2, 5, 15, 30, 60, 120, 300, 600, 1200)
SILENCE = 503
ASK_SILENT_AFTER = timedelta(minutes=1)
WAIT_FOR_PREDECESSOR = timedelta(milliseconds=200)


def insert_events(cursor: Any, events: Iterable[Event], *, request_id: str = "") -> None:
    """Write many events with one statement, on a raw cursor whose transaction the caller commits."""
    rows = [
        (
            new_id(),
            e.name,
            str(getattr(e, e.aggregate)),
            msgspec.json.encode(e).decode(),
            clock.now(),
        )
        for e in events
    ]
    if not rows:
        return
    ids, names, aggregates, payloads, times = (list(column) for column in zip(*rows, strict=True))
    cursor.execute(
        "INSERT INTO core_outboxevent (id, name, aggregate, payload, created_at, request_id) "
        "SELECT i, n, a, p::jsonb, t, %s FROM "
        "unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[]) AS u(i, n, a, p, t)",
        (request_id, ids, names, aggregates, payloads, times),
    )


def dispatch(limit: int = 500) -> int:
    """Turn waiting events into deliveries. Returns how many events were taken.

    Commands hold the row lock of the aggregate when they emit, so the events of one aggregate become
    visible in the order of their numbers; between aggregates no order is promised.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT seq, name, aggregate FROM core_outboxevent "
                "WHERE dispatched_at IS NULL ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED",
                (limit,),
            )
            events = cursor.fetchall()
        if not events:
            return 0
        Delivery.objects.bulk_create(
            [
                Delivery(
                    event_id=seq, handler=handler.name, aggregate=aggregate, next_at=clock.now()
                )
                for seq, name, aggregate in events
                for handler in BY_EVENT.get(name, ())
            ],
            ignore_conflicts=True,
        )
        OutboxEvent.objects.filter(seq__in=[event[0] for event in events]).update(
            dispatched_at=clock.now()
        )
    return len(events)


def claim_due(limit: int = 500) -> list[int]:
    """Deliveries to send now, in order; each is sent again after `RESEND_AFTER` unless it was done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_delivery SET next_at = %s WHERE id IN ("
            " SELECT id FROM core_delivery WHERE state = 'PENDING' AND next_at <= %s"
            " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id",
            (clock.now() + RESEND_AFTER, clock.now(), limit),
        )
        return sorted(row[0] for row in cursor.fetchall())


def deliver(delivery_id: int) -> bool:
    """Run one reaction. True when it is done now or was done before."""
    delivery = Delivery.objects.select_related("event").filter(pk=delivery_id).first()
    if delivery is None:
        return False
    if delivery.state != Delivery.State.PENDING:
        return True
    handler = HANDLERS.get(delivery.handler)
    if handler is None:
        _failed(delivery_id, f"no such reaction: {delivery.handler}")
        return False
    if _has_predecessor(delivery):
        Delivery.objects.filter(pk=delivery_id).update(next_at=clock.now() + WAIT_FOR_PREDECESSOR)
        return False
    set_request(RequestContext(request_id=delivery.event.request_id))
    try:
        return _run_atomic(delivery_id, handler) if handler.atomic else _run(delivery, handler)
    except Exception as error:
        log.warning("reaction failed", extra={"handler": handler.name, "event": delivery.event_id})
        silent = getattr(error, "status", None) == SILENCE
        _failed(delivery_id, f"{type(error).__name__}: {error}", silent=silent)
        return False
    finally:
        set_request(None)


def _has_predecessor(delivery: Delivery) -> bool:
    return Delivery.objects.filter(
        handler=delivery.handler,
        aggregate=delivery.aggregate,
        state=Delivery.State.PENDING,
        id__lt=delivery.id,
    ).exists()


def _run_atomic(delivery_id: int, handler: Handler) -> bool:
    with transaction.atomic():
        locked = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("event")
            .filter(pk=delivery_id, state=Delivery.State.PENDING)
            .first()
        )
        if locked is None:
            return False
        with joined():
            handler.function(event_from(locked.event.name, locked.event.payload))
        _done(delivery_id)
    return True


def _run(delivery: Delivery, handler: Handler) -> bool:
    handler.function(event_from(delivery.event.name, delivery.event.payload))
    _done(delivery.pk)
    return True


def _done(delivery_id: int) -> None:
    Delivery.objects.filter(pk=delivery_id).update(
        state=Delivery.State.DONE, done_at=clock.now(), last_error=""
    )


def _failed(delivery_id: int, error: str, *, silent: bool = False) -> None:
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.state != Delivery.State.PENDING:
            return
        delivery.attempts += 1
        delivery.last_error = error[:2000]
        if silent:
            delivery.attempts = min(delivery.attempts, MAX_ATTEMPTS - 1)
        elif delivery.attempts >= MAX_ATTEMPTS:
            delivery.state = Delivery.State.DEAD
        wait = timedelta(seconds=BACKOFF_SECONDS[delivery.attempts - 1])
        delivery.next_at = clock.now() + (min(wait, ASK_SILENT_AFTER) if silent else wait)
        delivery.save()


def deliver_all(rounds: int = 50) -> int:
    """Dispatch and run everything that is due in this process, until nothing is left. For seeds and tests."""
    total = 0
    for _round in range(rounds):
        while dispatch():
            pass
        due = claim_due()
        if not due:
            return total
        for delivery_id in due:
            total += deliver(delivery_id)
    raise RuntimeError("reactions keep causing reactions")


def lag_seconds() -> float:
    """Age of the oldest event that no reaction has been given yet."""
    oldest = OutboxEvent.objects.filter(dispatched_at__isnull=True).aggregate(at=Min("created_at"))
    return (clock.now() - oldest["at"]).total_seconds() if oldest["at"] else 0.0


@command
def delivery_retry(*, delivery_id: int, actor: Actor, reason: str) -> Delivery:
    """Give a dead letter another life. Raises `NotVisible`, `NotAllowed`, `WrongState`."""
    actor.require(RETRY_DELIVERY)
    delivery: Delivery = lock_row(Delivery.objects.all(), delivery_id, visible_to=actor)
    if delivery.state != Delivery.State.DEAD:
        raise WrongState(state=delivery.get_state_display(), command="retry")
    delivery.state = Delivery.State.PENDING
    delivery.attempts = 0
    delivery.next_at = clock.now()
    delivery.save()
    audit(actor=actor, action="delivery.retry", subject=delivery, reason=reason)
    return delivery
