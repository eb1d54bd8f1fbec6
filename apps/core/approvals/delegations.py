"""Standing in for somebody who is away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals.errors import DelegationTooLong, DutiesTogether, OwnStandIn
from apps.core.approvals.people import duties_refused
from apps.core.approvals.standing import lent_to, person
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotAllowed, NotVisible, WrongState
from apps.core.locks import lock_row
from apps.core.models import Delegation
from apps.core.permissions import DELEGATE, MANAGE_DELEGATIONS, REGISTRY

LONGEST = timedelta(days=30)


@command
def delegation_give(
    *,
    delegate_id: str,
    valid_from: datetime,
    valid_until: datetime,
    actor: Actor,
    reason: str,
    holder_id: str = "",
    permissions: Iterable[str] = (),
) -> Delegation:
    """Let a colleague decide with one's authority from one moment to another; empty `permissions` means all.

    Somebody with `core.manage_delegations` may do it for another person who fell ill. Only what the holder has of
    their own counts when it is used, so nothing that was lent is lent on. It takes a fresh sign-in, like what it lends.
    Raises `NotAllowed`, `StepUpRequired`, `InvalidInput`, `DelegationTooLong`, `OwnStandIn`, `DutiesTogether`.
    """
    actor.require(DELEGATE)
    actor.require_fresh(DELEGATE.label)
    holder = actor if holder_id in ("", actor.id) else _other(holder_id, actor)
    delegate = person(delegate_id)
    codes = list(dict.fromkeys(permissions))
    _require_sound(holder, delegate, codes, valid_from, valid_until)
    assert delegate is not None
    _require_separate(holder, delegate, actor)
    given = Delegation(
        holder_id=holder.id,
        holder_label=holder.label,
        delegate_id=delegate.id,
        delegate_label=delegate.label,
        permissions=codes,
        valid_from=valid_from,
        valid_until=valid_until,
        reason=reason,
    )
    given.save_as(actor, reason, action="delegation.give")
    return given


def _other(holder_id: str, actor: Actor) -> Actor:
    actor.require(MANAGE_DELEGATIONS)
    holder = person(holder_id)
    if holder is None:
        raise NotVisible
    return holder


def _require_sound(
    holder: Actor,
    delegate: Actor | None,
    codes: list[str],
    valid_from: datetime,
    valid_until: datetime,
) -> None:
    if delegate is None or delegate.id == holder.id:
        raise InvalidInput(field="delegate", problem=_("name an active colleague"))
    if not max(valid_from, clock.now()) < valid_until:
        raise InvalidInput(field="valid_until", problem=_("it ends after it begins, in the future"))
    if valid_until - valid_from > LONGEST:
        raise DelegationTooLong(days=LONGEST.days)
    unknown = [code for code in codes if code not in REGISTRY or not holder.allows(code)]
    if unknown:
        raise InvalidInput(
            field="permissions", problem=_("not held: {codes}").format(codes=", ".join(unknown))
        )


def _require_separate(holder: Actor, delegate: Actor, actor: Actor) -> None:
    if holder.id != actor.id and delegate.id == actor.id:
        raise OwnStandIn
    if why := duties_refused(holder.id, delegate.id):
        raise DutiesTogether(why=" ".join(why))


def power_is_lent_to(actor: Actor) -> bool:
    """Whether this person stands in now for somebody who may do what asks for a fresh sign-in."""
    strong = {code for code, declared in REGISTRY.items() if declared.step_up}
    return any(
        holder.allows(code) and code in (given.permissions or strong)
        for given, holder in lent_to(actor, strong)
        for code in strong
    )


@command
def delegation_end(*, delegation_id: UUID, actor: Actor, reason: str) -> Delegation:
    """End it before its time: the holder, the delegate, or who manages delegations."""
    given = lock_row(Delegation.objects.all(), delegation_id)
    if actor.id not in (given.holder_id, given.delegate_id) and not actor.allows(
        MANAGE_DELEGATIONS
    ):
        raise NotAllowed(permission=MANAGE_DELEGATIONS.label)
    if given.ended_at is not None or given.valid_until <= clock.now():
        raise WrongState(state=_("over"), command=_("ending it"))
    _end(given, actor, reason)
    return given


def delegations_end_of(*, actor_id: str, actor: Actor, reason: str) -> int:
    """End everything that this person lends or was lent: they leave. Part of the caller's command."""
    rows = Delegation.objects.filter(ended_at=None, valid_until__gt=clock.now())
    mine = [row for row in rows if actor_id in (row.holder_id, row.delegate_id)]
    for row in mine:
        _end(row, actor, reason)
    return len(mine)


def _end(given: Delegation, actor: Actor, reason: str) -> None:
    given.ended_at = clock.now()
    given.save_as(actor, reason, action="delegation.end")
