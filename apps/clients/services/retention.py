"""Holds, and the purge of what has passed its day: shown first, agreed to, done then."""

from __future__ import annotations

import tomllib
from typing import Any
from uuid import UUID

from apps.clients.assessment import assess, on_hold
from apps.clients.enums import Lifecycle, RetentionRunState
from apps.clients.errors import HoldEnded
from apps.clients.locks import client_locked
from apps.clients.models import Client, LegalEntity, LegalHold, RetentionRule, RetentionRun
from apps.clients.permissions import APPROVE_RETENTION, LIFT_HOLD, RUN_RETENTION, SET_HOLD
from apps.clients.selectors import DATA
from apps.clients.services.erasure import erase
from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.locks import lock_row
from apps.core.models import Approval
from apps.core.privacy.registry import DataClass

# Messages are not shown as due, because they always are: they go with whatever else of the client is purged.
BY_ITSELF = frozenset(set(DataClass.values) - {DataClass.RECORDS, DataClass.MESSAGES})


@command
def legal_hold_set(*, client_id: UUID, actor: Actor, reason: str) -> LegalHold:
    """Forbid the erasure of anything of this client. Raises `NotVisible`, `NotAllowed`."""
    client = client_locked(client_id, visible_to=actor)
    actor.require(SET_HOLD, client)
    hold = LegalHold(client=client, reason=reason[:300], placed_by=actor.id)
    hold.save_as(actor, reason, action="hold.set")
    return hold


@command
def legal_hold_lift(*, legalhold_id: UUID, actor: Actor, reason: str) -> Approval:
    """Ask to lift a hold; another person agrees. Raises `NotVisible`, `NotAllowed`, `HoldEnded`."""
    hold = lock_row(LegalHold.objects.all(), legalhold_id, visible_to=actor)
    actor.require(SET_HOLD, hold)
    if hold.lifted_at is not None:
        raise HoldEnded
    return approval_request(
        action="clients.legal_hold_lift",
        title=f"Lift the legal hold on {hold.client.number}",
        payload={"hold_id": hold.pk},
        permission=LIFT_HOLD,
        actor=actor,
        reason=reason,
        subject=hold,
        entity=hold.client.entity.code,
        desk_id=hold.client.desk_id,
        client_id=hold.client_id,
    )


@approves("clients.legal_hold_lift")
def _lift(approval: Approval, *, actor: Actor) -> None:
    hold = lock_row(LegalHold.objects.all(), UUID(approval.payload["hold_id"]))
    if hold.lifted_at is not None:
        raise HoldEnded
    hold.lift(approval.pk, by=actor, reason=approval.reason)
    hold.save_as(actor, approval.reason, action="hold.lift")


def due_now() -> list[dict[str, str]]:
    """Every class of every ended relationship that has passed its day, clients under a hold left out."""
    rows = Client.objects.filter(lifecycle__in=[Lifecycle.CLOSED, Lifecycle.REJECTED])
    found = []
    for client in rows.select_related("entity").order_by("pk").iterator(chunk_size=500):
        if on_hold(client.pk):
            continue
        found += [
            {"client": str(client.pk), "number": client.number, "class": verdict.data_class}
            for verdict in assess(client)
            if verdict.may_go and not verdict.erased and verdict.data_class in BY_ITSELF
        ]
    return found


@command
def retention_preview(*, actor: Actor) -> RetentionRun | None:
    """What would be purged today; nothing is. None when nothing is due or a run is still open.

    Raises `NotAllowed`.
    """
    actor.require(RUN_RETENTION)
    waiting = [RetentionRunState.PREVIEW, RetentionRunState.PENDING_APPROVAL]
    if RetentionRun.objects.filter(state__in=waiting).exists():
        return None
    due = due_now()
    if not due:
        return None
    run = RetentionRun(as_of=clock.now().date(), due=due)
    run.save_as(actor, "looked through", action="retention.preview")
    return run


@command
def retention_purge(*, retentionrun_id: UUID, actor: Actor, reason: str) -> RetentionRun:
    """Ask that what was shown is purged; another person agrees. Raises `NotVisible`, `NotAllowed`, `WrongState`."""
    run = lock_row(RetentionRun.objects.all(), retentionrun_id, visible_to=actor)
    actor.require(RUN_RETENTION, run)
    _require(run, RetentionRunState.PREVIEW, "purge")
    approval = approval_request(
        action="clients.retention_purge",
        title=f"Purge {len(run.due)} classes of data as of {run.as_of}",
        payload={"run_id": run.pk},
        permission=APPROVE_RETENTION,
        actor=actor,
        reason=reason,
        subject=run,
    )
    run.propose(approval.pk, by=actor, reason=reason)
    run.save_as(actor, reason, action="retention.propose")
    return run


def _drop(approval: Approval, *, actor: Actor) -> None:
    run = lock_row(RetentionRun.objects.all(), UUID(approval.payload["run_id"]))
    run.drop(by=actor, reason="not agreed to")
    run.save_as(actor, "not agreed to", action="retention.drop")


@approves("clients.retention_purge", on_reject=_drop)
def _purge(approval: Approval, *, actor: Actor) -> None:
    """Only what was shown and is still due: a hold or a new relationship since then keeps it."""
    run = lock_row(RetentionRun.objects.all(), UUID(approval.payload["run_id"]))
    shown = {(line["client"], line["class"]) for line in run.due}
    purged: list[dict[str, str]] = []
    for client_id in sorted({line["client"] for line in run.due}):
        client = client_locked(UUID(client_id), visible_to=actor)
        if on_hold(client.pk):
            continue
        due = [
            verdict
            for verdict in assess(client)
            if verdict.erased
            or (client_id, verdict.data_class) in shown
            or verdict.data_class == DataClass.MESSAGES
        ]
        parts = erase(client, due, actor=actor, basis="term of retention over")
        purged += [
            {"client": client_id, "number": client.number, "class": part["class"]} for part in parts
        ]
    run.finish(purged, by=actor, reason=approval.reason)
    run.save_as(actor, approval.reason, action="retention.purge")


def _require(run: RetentionRun, state: str, what: str) -> None:
    if run.state != state:
        raise WrongState(state=run.get_state_display(), command=what)


def rules_load(*, actor: Actor) -> int:
    """Make the rules agree with `data/retention.toml`; part of loading the entities."""
    raw: list[dict[str, Any]] = tomllib.loads((DATA / "retention.toml").read_text("utf-8"))["rules"]
    for line in raw:
        codes = line.pop("entities", None) or [None]
        for code in codes:
            entity = LegalEntity.objects.get(code=code) if code else None
            held = RetentionRule.objects.filter(
                entity=entity, data_class=line["data_class"]
            ).first()
            rule = held or RetentionRule(entity=entity)
            if held and all(getattr(held, name) == value for name, value in line.items()):
                continue
            for name, value in line.items():
                setattr(rule, name, value)
            rule.save_as(actor, "loaded from data file", action="retention_rule.load")
    return len(raw)
