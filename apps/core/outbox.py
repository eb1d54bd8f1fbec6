"""The relay's work: hand each event to its reactions, in order within an aggregate, until it is done.

An event becomes one `Delivery` for each reaction. A delivery is sent to a worker, and sent again when
nothing was heard of it; the worker locks it, runs the reaction and marks it done in the same
transaction. After `MAX_ATTEMPTS` failures it is a dead letter that staff retry or skip; until then the later
events of its aggregate wait in the same lane, unless the handler lets them pass. Somebody who does not answer
(status 503) is no failure: they are told again, at least every minute, for as long as it takes.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Min

from apps.core import clock
from apps.core.commands import joined
from apps.core.context import RequestContext, set_request
from apps.core.events import (
    BY_EVENT,
    HANDLERS,
    Event,
    Handler,
    Handling,
    WhenDead,
    event_from,
    handling,
)
from apps.core.ids import new_id
from apps.core.models import Delivery, OutboxEvent

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
RESEND_AFTER = timedelta(seconds=settings.OUTBOX_RESEND_AFTER_S)
BACKOFF_SECONDS = (1, 2, 5, 15, 30, 60, 120, 300, 600, 1200)
JITTER = 0.2
"""A wait is up to this share shorter or longer, so that what failed together does not come back together."""
SILENCE = 503
ASK_SILENT_AFTER = timedelta(minutes=1)
WAIT_FOR_PREDECESSOR = timedelta(milliseconds=200)
WAIT_FOR_DEAD = timedelta(minutes=1)
DISPATCH_LOCK = 7_020_001
_random = secrets.SystemRandom()


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
    visible in the order of their numbers; between aggregates no order is promised. One relay dispatches at a
    time, so that no later event has a delivery before an earlier one; a second relay carries what is due.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [DISPATCH_LOCK])
            if not cursor.fetchone()[0]:
                return 0
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
                    event_id=seq,
                    handler=handler.name,
                    lane=handler.lane,
                    aggregate=aggregate,
                    next_at=clock.now(),
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


def unclaim(delivery_ids: list[int]) -> None:
    """Give back what was claimed and could not be sent, so that it is not late by `RESEND_AFTER`."""
    Delivery.objects.filter(pk__in=delivery_ids, state=Delivery.State.PENDING).update(
        next_at=clock.now()
    )


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
    wait = _wait_for_predecessor(delivery)
    if wait is not None:
        Delivery.objects.filter(pk=delivery_id).update(next_at=clock.now() + wait)
        return False
    set_request(RequestContext(request_id=delivery.event.request_id))
    try:
        with handling(Handling(delivery.event_id, str(delivery.event.id))):
            return _run_atomic(delivery_id, handler) if handler.atomic else _run(delivery, handler)
    except Exception as error:
        log.warning("reaction failed", extra={"handler": handler.name, "event": delivery.event_id})
        silent = getattr(error, "status", None) == SILENCE
        permanent = bool(getattr(error, "permanent", False))
        _failed(delivery_id, f"{type(error).__name__}: {error}", silent=silent, permanent=permanent)
        return False
    finally:
        set_request(None)


def _wait_for_predecessor(delivery: Delivery) -> timedelta | None:
    """How long to wait for an earlier event of the aggregate in this lane; None when there is none to wait for."""
    passing = [h.name for h in HANDLERS.values() if h.when_dead is WhenDead.LET_PASS]
    states = set(
        Delivery.objects.filter(
            lane=delivery.lane,
            aggregate=delivery.aggregate,
            state__in=(Delivery.State.PENDING, Delivery.State.DEAD),
            event_id__lt=delivery.event_id,
        )
        .exclude(state=Delivery.State.DEAD, handler__in=passing)
        .values_list("state", flat=True)
    )
    if not states:
        return None
    return WAIT_FOR_DEAD if states == {Delivery.State.DEAD} else WAIT_FOR_PREDECESSOR


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
    """Talk to the outside, one worker at a time: a message that was sent twice meanwhile finds it taken."""
    with _alone(delivery.pk) as mine:
        still = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING)
        if not mine or not still.update(next_at=clock.now() + RESEND_AFTER):
            return False
        handler.function(event_from(delivery.event.name, delivery.event.payload))
        _done(delivery.pk)
    return True


@contextmanager
def _alone(delivery_id: int) -> Iterator[bool]:
    """A lock of this connection, which the server frees when the process dies."""
    key = f"delivery:{delivery_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine and not connection.needs_rollback:
            with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _done(delivery_id: int) -> None:
    Delivery.objects.filter(pk=delivery_id).update(
        state=Delivery.State.DONE, done_at=clock.now(), last_error=""
    )


def _failed(delivery_id: int, error: str, *, silent: bool = False, permanent: bool = False) -> None:
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.state != Delivery.State.PENDING:
            return
        delivery.attempts += 1
        delivery.last_error = error[:2000]
        if silent:
            delivery.attempts = min(delivery.attempts, MAX_ATTEMPTS - 1)
        elif permanent or delivery.attempts >= MAX_ATTEMPTS:
            delivery.state = Delivery.State.DEAD
        wait = backoff(delivery.attempts)
        delivery.next_at = clock.now() + (min(wait, ASK_SILENT_AFTER) if silent else wait)
        delivery.save()


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failures: longer each time, and never at quite the same moment."""
    seconds = BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1]
    return timedelta(seconds=seconds * _random.uniform(1 - JITTER, 1 + JITTER))


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


def prune(*, keep: timedelta | None = None, limit: int = 5000) -> int:
    """Remove events that were handed on long ago and whose every delivery is done or skipped; returns how many.

    A dead letter, or one still waiting, keeps its event however old. Done in one short transaction; call it
    until nothing is left.
    """
    before = clock.now() - (keep or timedelta(days=settings.OUTBOX_KEEP_DAYS))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.seq FROM core_outboxevent e WHERE e.dispatched_at < %s AND NOT EXISTS ("
            " SELECT 1 FROM core_delivery d WHERE d.event_id = e.seq AND d.state IN ('PENDING', 'DEAD')) "
            "ORDER BY e.dispatched_at LIMIT %s FOR UPDATE SKIP LOCKED",
            [before, limit],
        )
        old = [row[0] for row in cursor.fetchall()]
        cursor.execute("DELETE FROM core_delivery WHERE event_id = ANY(%s)", [old])
        cursor.execute("DELETE FROM core_outboxevent WHERE seq = ANY(%s)", [old])
    return len(old)
