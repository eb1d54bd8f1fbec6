"""Work in the background that people watch: it starts once, survives closing the page and a killed worker.

A run is drafted by the page that shows what would happen, and started by whoever drafted it. A worker takes a
lease and works in slices; when it dies, the lease runs out and the next worker goes on where it stopped.
The actor is looked up anew for each slice: a person who has left the house has also left their runs.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command, joined
from apps.core.errors import DomainError, NotVisible
from apps.core.events import Event, emit
from apps.core.ids import new_id
from apps.core.locks import lock_row
from apps.core.masks import seen_by
from apps.core.models import Run, RunFile, RunRow

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
SLICE_SECONDS = 10
FILE_LIFE = timedelta(hours=24)
DRAFT_LIFE = timedelta(hours=24)
RUN_LIFE = timedelta(days=90)
NONCE = 12


class FileGone(DomainError):
    code = "FILE_GONE"
    message = _("This file is no longer kept. Export it again.")
    status = 410


class NobodyToActFor(DomainError):
    code = "NOBODY_TO_ACT_FOR"
    message = _("The person who started this may no longer act here.")
    status = 403


@dataclass(frozen=True, kw_only=True)
class RunWaits(Event):
    """A run has work left and nobody works on it."""

    name: ClassVar[str] = "core.RunWaits"
    aggregate: ClassVar[str] = "run_id"
    run_id: UUID


@dataclass(frozen=True, slots=True)
class Turn:
    """One slice: the run, who it is done for, and how to say how far it is."""

    run: Run
    actor: Actor
    until: datetime

    @property
    def is_over(self) -> bool:
        return clock.now() >= self.until

    def goes_on(self, done: int | None = None) -> bool:
        """Keep the lease. False when somebody stopped the run."""
        values: dict[str, Any] = {"leased_until": clock.now() + LEASE}
        if done is not None:
            values["done"] = done
        return bool(Run.objects.filter(pk=self.run.pk, state=Run.State.RUNNING).update(**values))


Work = Callable[[Turn], bool]
"""Does a slice; True when the run is finished."""

ActorLookup = Callable[[int], Actor | None]
FileGuard = Callable[[Run, Actor], None]
"""Raises when this actor may not take this run's file away now."""
Kept = Callable[[dict[str, Any]], dict[str, Any]]
_WORK: dict[str, Work] = {}
_GUARDS: dict[str, FileGuard] = {}
_KEPT: dict[str, Kept] = {}
_ACTORS: list[ActorLookup] = []


def register_work(kind: str, work: Work, kept: Kept | None = None) -> None:
    """Say how runs of this kind are worked on, and what is kept of their request however they end."""
    _WORK[kind] = work
    if kept is not None:
        _KEPT[kind] = kept


def _over(run: Run, state: str) -> None:
    run.state, run.finished_at = state, clock.now()
    if run.kind in _KEPT:
        run.request = _KEPT[run.kind](run.request)


def register_file_guard(kind: str, guard: FileGuard) -> None:
    """Say who may still open what runs of this kind have written; without it nobody opens it."""
    _GUARDS[kind] = guard


def register_actor_lookup(lookup: ActorLookup) -> None:
    """Let the app that knows logins say who a user is now; None for one who may no longer act."""
    _ACTORS[:] = [lookup]


@command
def run_draft(
    *,
    run_id: UUID | None = None,
    kind: str,
    what: str,
    title: str,
    request: dict[str, Any],
    total: int,
    actor: Actor,
    rows: Iterable[RunRow] = (),
) -> Run:
    """What would happen, kept for a day. Drafting the same `run_id` twice gives the first draft back."""
    known = Run.objects.visible_to(actor).filter(pk=run_id).first() if run_id else None
    if known is not None:
        return known
    run = Run.objects.create(
        id=run_id or new_id(),
        kind=kind,
        what=what,
        title=title[:200],
        request=request | {"on_behalf_of": actor.on_behalf_of},
        total=total,
        maker_id=actor.id,
        maker_label=actor.label,
        user_id=actor.user_id,
    )
    drafted = list(rows)
    for row in drafted:
        row.run = run
    RunRow.objects.bulk_create(drafted, batch_size=1000)
    return run


@command
def run_start(
    *, run_id: UUID, request: dict[str, Any], background: bool, actor: Actor, reason: str
) -> Run:
    """Give it to a worker, or to the caller who works at once. Starting twice starts once."""
    run: Run = lock_row(Run.objects.all(), run_id, visible_to=actor)
    if run.state != Run.State.DRAFT:
        return run
    run.state, run.reason = Run.State.QUEUED, reason
    run.request = run.request | request
    run.save()
    if run.kind == Run.Kind.BULK:
        after = {"what": run.what, "rows": run.total, "request": run.request}
        audit(actor=actor, action="bulk.run", subject=run, after=after, reason=reason)
    if background:
        emit(RunWaits(run_id=run.pk))
    return run


@command
def run_stop(*, run_id: UUID, actor: Actor) -> Run:
    """Rows that are done stay done; the rest is left alone."""
    run: Run = lock_row(Run.objects.all(), run_id, visible_to=actor)
    if not run.is_over:
        _over(run, Run.State.STOPPED)
        run.save()
        audit(actor=actor, action="run.stop", subject=run, after={"done": run.done})
    return run


def run_work(run_id: UUID, *, actor: Actor | None = None, seconds: float = SLICE_SECONDS) -> bool:
    """One slice. True when nothing is left to do, or somebody else is at it."""
    run = _take(run_id)
    if run is None:
        return True
    try:
        who = _acting(actor or _actor_of(run), run)
        with seen_by(who):
            finished = _WORK[run.kind](Turn(run, who, clock.now() + timedelta(seconds=seconds)))
    except DomainError as refused:
        _end(run_id, Run.State.FAILED, f"{refused.code}: {refused}")
        return True
    except Exception:
        log.exception("run failed", extra={"run": str(run_id)})
        _end(run_id, Run.State.FAILED, str(_("Something unexpected happened. It is in the log.")))
        return True
    if finished:
        _end(run_id, Run.State.DONE)
    else:
        _pass_on(run_id)
    return finished


@transaction.atomic
def _take(run_id: UUID) -> Run | None:
    now = clock.now()
    run = (
        Run.objects.select_for_update(skip_locked=True)
        .filter(Q(leased_until=None) | Q(leased_until__lte=now), pk=run_id)
        .filter(state__in=[Run.State.QUEUED, Run.State.RUNNING])
        .first()
    )
    if run is not None:
        run.state, run.leased_until = Run.State.RUNNING, now + LEASE
        run.started_at = run.started_at or now
        run.save()
    return run


def _actor_of(run: Run) -> Actor:
    found = _ACTORS[0](run.user_id) if _ACTORS and run.user_id is not None else None
    if found is None:
        raise NobodyToActFor
    return found


def _acting(actor: Actor, run: Run) -> Actor:
    """Everything that a run does carries its number, so that one batch is found in the trail."""
    settled = copy(actor) if actor.id else actor  # not a request's lazy stand-in
    return replace(
        settled,
        request_id=f"run-{run.pk}",
        on_behalf_of=run.request.get("on_behalf_of", "") or actor.on_behalf_of,
    )


@transaction.atomic
def _end(run_id: UUID, state: str, error: str = "") -> None:
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.state == Run.State.RUNNING:
        _over(run, state)
        run.error, run.leased_until = error[:300], None
        run.save()


def _pass_on(run_id: UUID) -> None:
    with transaction.atomic():
        left = Run.objects.filter(pk=run_id, state=Run.State.RUNNING).update(leased_until=None)
        if left:
            emit(RunWaits(run_id=run_id))


def runs_resume() -> int:
    """Those whose worker died, or whose first word was lost. Returns how many had work left."""
    now = clock.now()
    idle = Run.objects.filter(
        Q(leased_until__lte=now) | Q(leased_until=None, created_at__lte=now - LEASE),
        state__in=[Run.State.QUEUED, Run.State.RUNNING],
    )
    found = list(idle.order_by("created_at").values_list("pk", flat=True)[:20])
    for run_id in found:
        run_work(run_id)
    return len(found)


def runs_tidy() -> int:
    """Files whose time is over, drafts nobody started, runs nobody needs to see any more."""
    now = clock.now()
    gone = RunFile.objects.filter(expires_at__lte=now).delete()[0]
    gone += Run.objects.filter(state=Run.State.DRAFT, created_at__lte=now - DRAFT_LIFE).delete()[0]
    return gone + Run.objects.filter(created_at__lte=now - RUN_LIFE).delete()[0]


# Rows: each through the service that the button calls, with its own audit record.


def rows_work(turn: Turn, act: Callable[[str], Any]) -> bool:
    """Call `act(object_id)` for each waiting row until the slice is over. True when none is left."""
    waiting = turn.run.rows.filter(outcome=RunRow.Outcome.WAITING).values_list("pk", flat=True)
    for row_id in list(waiting[:500]):
        if turn.is_over or not turn.goes_on():
            return not Run.objects.filter(pk=turn.run.pk, state=Run.State.RUNNING).exists()
        _one_row(row_id, act)
    return not waiting.exists()


def _one_row(row_id: int, act: Callable[[str], Any]) -> None:
    try:
        row_do(row_id=row_id, act=act)
    except DomainError as refused:
        row_refuse(row_id=row_id, code=refused.code, message=str(refused))
    except Exception:
        log.exception("row of a run failed", extra={"row": row_id})
        row_refuse(
            row_id=row_id, code="UNEXPECTED", message=str(_("Something unexpected happened."))
        )


@command
def row_do(*, row_id: int, act: Callable[[str], Any]) -> bool:
    """The row's service and the mark that it was done, in one transaction: never twice, never unmarked."""
    row = _waiting_row(row_id)
    if row is None:
        return False
    with joined():
        act(row.object_id)
    RunRow.objects.filter(pk=row.pk).update(outcome=RunRow.Outcome.DONE, at=clock.now())
    Run.objects.filter(pk=row.run_id).update(done=F("done") + 1)
    return True


@command
def row_refuse(*, row_id: int, code: str, message: str) -> bool:
    row = _waiting_row(row_id)
    if row is None:
        return False
    RunRow.objects.filter(pk=row.pk).update(
        outcome=RunRow.Outcome.REFUSED, code=code[:60], message=message[:300], at=clock.now()
    )
    Run.objects.filter(pk=row.run_id).update(refused=F("refused") + 1)
    return True


def _waiting_row(row_id: int) -> RunRow | None:
    return (
        RunRow.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=row_id, outcome=RunRow.Outcome.WAITING)
        .first()
    )


# Files: encrypted under the run and its maker, so that a row copied elsewhere opens nothing.


def _cipher() -> AESGCM:
    derive = HKDF(hashes.SHA256(), 32, salt=None, info=b"brokeros.run.file")
    return AESGCM(derive.derive(settings.SECRET_KEY.encode()))


def _bound_to(run: Run) -> bytes:
    return f"{run.pk}|{run.maker_id}".encode()


def keep_file(run: Run, *, name: str, content_type: str, content: bytes) -> RunFile:
    nonce = secrets.token_bytes(NONCE)
    sealed = nonce + _cipher().encrypt(nonce, content, _bound_to(run))
    kept, _made = RunFile.objects.update_or_create(
        run=run,
        defaults={
            "name": name[:120],
            "content_type": content_type,
            "content": sealed,
            "expires_at": clock.now() + FILE_LIFE,
        },
    )
    return kept


@command
def run_file_open(*, run_id: UUID, actor: Actor) -> tuple[RunFile, bytes]:
    """The file for its maker alone, as long as they may do now what made it, with the look written down.

    Raises `NotVisible`, `NotAllowed`, `StepUpRequired`, `FileGone`.
    """
    run = Run.objects.visible_to(actor).filter(pk=run_id).first()
    if run is None or run.kind not in _GUARDS:
        raise NotVisible
    _GUARDS[run.kind](run, actor)
    kept = RunFile.objects.filter(run=run, expires_at__gt=clock.now()).first()
    if kept is None:
        raise FileGone
    sealed = bytes(kept.content)
    content = _cipher().decrypt(sealed[:NONCE], sealed[NONCE:], _bound_to(run))
    audit(actor=actor, action="export.download", subject=run, after={"file": kept.name})
    return kept, content
