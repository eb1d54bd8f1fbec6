"""Holding a client back, and letting go: each restriction ends by itself, never with another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.clients.enums import LiftBy, RestrictionKind, RestrictionSource
from apps.clients.errors import (
    ExpiryInThePast,
    ReasonRequired,
    RestrictionExists,
    RestrictionNotActive,
    RestrictionNotYours,
)
from apps.clients.events import RestrictionAdded, RestrictionLifted
from apps.clients.locks import client_locked, restriction_locked
from apps.clients.models import Client, Restriction
from apps.clients.permissions import ADD_RESTRICTION, LIFT_RESTRICTION
from apps.clients.selectors import client_restrictions, may_lift
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible
from apps.core.events import emit
from apps.core.locks import lock_rows


@command
def restriction_add(
    *,
    client_id: UUID,
    kind: str,
    reason: str,
    actor: Actor,
    source: str = RestrictionSource.STAFF,
    source_ref: str = "",
    lift_by: str = LiftBy.STAFF,
    expires_at: datetime | None = None,
) -> Restriction:
    """Add one more reason why the client may not do something.

    Two reasons of one kind are two rows. With `source_ref` the same case restricts in the same way
    once. Raises `NotVisible`, `NotAllowed`, `ReasonRequired`, `ExpiryInThePast`,
    `RestrictionExists`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(ADD_RESTRICTION, client)
    return impose(
        client,
        kind=kind,
        reason=reason,
        actor=actor,
        source=source,
        source_ref=source_ref,
        lift_by=lift_by,
        expires_at=expires_at,
    )


def impose(
    client: Client,
    *,
    kind: str,
    reason: str,
    actor: Actor,
    source: str,
    source_ref: str = "",
    lift_by: str = LiftBy.STAFF,
    expires_at: datetime | None = None,
) -> Restriction:
    """What `restriction_add` does to a client who is locked already; for other commands' use."""
    if not reason.strip():
        raise ReasonRequired
    _require_known(kind, source, lift_by)
    if expires_at is not None and expires_at <= clock.now():
        raise ExpiryInThePast
    _refuse_repeat(client, kind, source, source_ref)
    restriction = Restriction(
        client=client,
        kind=kind,
        source=source,
        source_ref=source_ref,
        reason=reason.strip(),
        lift_by=lift_by,
        added_by=actor.label,
        expires_at=expires_at,
    )
    restriction.save_as(actor, reason, action="restriction.add")
    emit(
        RestrictionAdded(
            client_id=client.id, restriction_id=restriction.id, kind=kind, expires_at=expires_at
        )
    )
    return restriction


@command
def restriction_lift(*, restriction_id: UUID, actor: Actor, reason: str) -> Restriction:
    """End one restriction before its time. The others stay, also those of the same kind.

    Raises `NotVisible`, `NotAllowed`, `RestrictionNotYours`, `RestrictionNotActive`,
    `ReasonRequired`.
    """
    found = Restriction.objects.visible_to(actor).filter(pk=restriction_id)
    client_id = found.values_list("client_id", flat=True).first()
    if client_id is None:
        raise NotVisible
    client = client_locked(client_id, visible_to=actor)
    restriction = restriction_locked(restriction_id, visible_to=actor)
    actor.require(LIFT_RESTRICTION, restriction)
    if not may_lift(restriction, actor):
        raise RestrictionNotYours(who=restriction.get_lift_by_display())
    if not reason.strip():
        raise ReasonRequired
    if not restriction.binds(clock.now()):
        raise RestrictionNotActive
    _end(restriction, client, actor=actor, reason=reason.strip())
    return restriction


@command
def restrictions_expire(*, actor: Actor) -> int:
    """Record the end of every restriction whose time is over; they bind no longer anyway."""
    due = lock_rows(Restriction.objects.run_out(clock.now()), visible_to=actor)
    for restriction in due:
        _end(restriction, restriction.client, actor=actor, reason="expired")
    return len(due)


def _end(restriction: Restriction, client: Client, *, actor: Actor, reason: str) -> None:
    restriction.end(by=actor, reason=reason)
    restriction.save_as(actor, reason, action="restriction.lift")
    emit(
        RestrictionLifted(
            client_id=client.id,
            restriction_id=restriction.id,
            kind=restriction.kind,
            still_restricted=restriction.kind in client_restrictions(client.id),
        )
    )


def _require_known(kind: str, source: str, lift_by: str) -> None:
    for field, value, choices in (
        ("kind", kind, RestrictionKind),
        ("source", source, RestrictionSource),
        ("lift_by", lift_by, LiftBy),
    ):
        if value not in choices.values:
            raise InvalidInput(field=field, problem=", ".join(choices.values))


def _refuse_repeat(client: Client, kind: str, source: str, source_ref: str) -> None:
    if not source_ref:
        return
    repeated = Restriction.objects.filter(
        client=client, kind=kind, source=source, source_ref=source_ref, lifted_at=None
    )
    if repeated.exists():
        raise RestrictionExists(
            kind=RestrictionKind(kind).label, source=RestrictionSource(source).label
        )
