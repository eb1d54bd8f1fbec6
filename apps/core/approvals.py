"""Maker and checker for any action: what was asked, who may agree, and what runs when enough people did."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import models

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command, joined
from apps.core.context import under_approval
from apps.core.errors import AlreadyVoted, NotAllowed, SelfApproval, StaleBase, WrongState
from apps.core.locks import lock_row
from apps.core.models import Approval, ApprovalVote
from apps.core.permissions import Permission

log = logging.getLogger(__name__)

Executor = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Effect:
    execute: Executor
    on_reject: Executor | None


EFFECTS: dict[str, Effect] = {}


def approves(action: str, *, on_reject: Executor | None = None) -> Callable[[Executor], Executor]:
    """Register what runs, once and in the same transaction, when the last approval for `action` arrives.

    The function gets `(approval, *, actor)`; `on_reject` likewise after a rejection or expiry.
    """

    def register(function: Executor) -> Executor:
        EFFECTS[action] = Effect(function, on_reject)
        return function

    return register


def payload_digest(payload: dict[str, Any]) -> str:
    """A digest of the change that does not depend on the order of its keys."""
    return hashlib.sha256(msgspec.json.encode(payload, order="deterministic")).hexdigest()


def approval_request(
    *,
    action: str,
    title: str,
    payload: dict[str, Any],
    permission: Permission,
    actor: Actor,
    reason: str,
    subject: models.Model | None = None,
    required: int = 1,
    entity: str = "",
    desk_id: int | None = None,
    client_id: UUID | None = None,
    expires_in: timedelta = timedelta(days=3),
) -> Approval:
    """Store a change that waits for `required` other people who hold `permission`."""
    if action not in EFFECTS:
        raise KeyError(f"nothing is registered to run when {action} is approved")
    plain = msgspec.to_builtins(payload)
    approval = Approval(
        action=action,
        title=title,
        subject_type=subject._meta.label if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        entity=entity,
        desk_id=desk_id,
        client_id=client_id,
        payload=plain,
        payload_hash=payload_digest(plain),
        maker_id=actor.id,
        maker_label=actor.label,
        reason=reason,
        required=required,
        permission=permission.code,
        expires_at=clock.now() + expires_in,
    )
    approval.save_as(actor, reason, action="approval.request")
    return approval


@command
def approval_vote(*, approval_id: UUID, actor: Actor, verdict: str, reason: str) -> Approval:
    """Approve or reject a pending change; the last approval needed also executes it.

    Raises `NotVisible`, `NotAllowed`, `SelfApproval`, `AlreadyVoted`, `WrongState`, `StaleBase`, and
    whatever the change itself is refused with: then the vote is not kept either.
    """
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    actor.require(approval.permission)
    _require_open(approval)
    if approval.maker_id == actor.id:
        raise SelfApproval
    if approval.votes.filter(voter_id=actor.id).exists():
        raise AlreadyVoted
    if payload_digest(approval.payload) != approval.payload_hash:
        raise StaleBase
    choice = ApprovalVote.Verdict(verdict)
    ApprovalVote.objects.create(
        approval=approval,
        maker_id=approval.maker_id,
        voter_id=actor.id,
        voter_label=actor.label,
        verdict=choice,
        reason=reason,
        payload_hash=approval.payload_hash,
        at=clock.now(),
    )
    if choice is ApprovalVote.Verdict.REJECT:
        approval.reject(by=actor, reason=reason)
        _finish(approval, actor, reason, "approval.reject", EFFECTS[approval.action].on_reject)
    elif approval.votes.filter(verdict=ApprovalVote.Verdict.APPROVE).count() >= approval.required:
        approval.approve(by=actor, reason=reason)
        _finish(approval, actor, reason, "approval.approve", EFFECTS[approval.action].execute)
    else:
        approval.save_as(actor, reason, action="approval.vote")
    return approval


@command
def approval_withdraw(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """The maker takes the request back. Raises `NotVisible`, `NotAllowed`, `WrongState`."""
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    _require_open(approval)
    if approval.maker_id != actor.id:
        raise NotAllowed(permission="withdrawing what someone else asked for")
    approval.withdraw(by=actor, reason=reason)
    _finish(approval, actor, reason, "approval.withdraw", EFFECTS[approval.action].on_reject)
    return approval


def approvals_expire(*, actor: Actor) -> int:
    """Close what nobody decided in time, each in a transaction of its own. Returns how many.

    What an approval held is set free with it, so one that cannot be closed is reported and keeps no other open.
    """
    overdue = Approval.objects.filter(state=Approval.State.PENDING, expires_at__lte=clock.now())
    closed = 0
    for approval_id in list(overdue.order_by("pk").values_list("pk", flat=True)):
        try:
            closed += approval_expire(approval_id=approval_id, actor=actor)
        except Exception:
            log.exception("an approval could not expire", extra={"approval": str(approval_id)})
    return closed


@command
def approval_expire(*, approval_id: UUID, actor: Actor) -> bool:
    """Close one whose time is over. False when it was decided in the meantime."""
    approval = lock_row(Approval.objects.all(), approval_id)
    if approval.state != Approval.State.PENDING or approval.expires_at > clock.now():
        return False
    approval.expire(by=actor, reason="expired")
    _finish(approval, actor, "expired", "approval.expire", EFFECTS[approval.action].on_reject)
    return True


def approval_cancel(*, approval: Approval, actor: Actor, reason: str) -> None:
    """Withdraw a request whose subject went away: part of another command, no effect of its own."""
    if approval.state == Approval.State.PENDING:
        approval.withdraw(by=actor, reason=reason)
        approval.save_as(actor, reason, action="approval.withdraw")


def _require_open(approval: Approval) -> None:
    if approval.state != Approval.State.PENDING:
        raise WrongState(state=approval.get_state_display(), command="a decision")
    if approval.expires_at <= clock.now():
        raise WrongState(state=Approval.State.EXPIRED.label, command="a decision")


def _finish(
    approval: Approval, actor: Actor, reason: str, action: str, effect: Executor | None
) -> None:
    approval.save_as(actor, reason, action=action)
    if effect is not None:
        with joined(), under_approval(approval.pk):
            effect(approval, actor=actor)
