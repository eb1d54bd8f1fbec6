"""The emergency path: one person carries a change out alone, and another one judges it afterwards."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals.decisions import approval_execute
from apps.core.approvals.effects import EFFECTS, payload_digest
from apps.core.approvals.errors import Beneficiary, NoEmergencyPath, OwnReview
from apps.core.approvals.events import EmergencyExecuted
from apps.core.approvals.people import identities
from apps.core.approvals.policies import stage_words
from apps.core.approvals.standing import chain_of
from apps.core.commands import command
from apps.core.errors import (
    DomainError,
    NotAllowed,
    NotVisible,
    SelfApproval,
    StaleBase,
    WrongState,
)
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval, EmergencyReview
from apps.core.permissions import EMERGENCY_EXECUTE, REVIEW_EMERGENCY


@command
def approval_execute_emergency(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """Carry a change out without the others, where its policy allows that; opens a review by somebody else.

    The path spares the colleagues, not the permission: whoever takes it could decide on the request. Raises
    `NotVisible`, `NotAllowed`, `NoEmergencyPath`, `SelfApproval`, `Beneficiary`, `WrongState`, `StaleBase` and what
    the change itself is refused with.
    """
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    actor.require(EMERGENCY_EXECUTE)
    if not approval.is_open or approval.expires_at <= clock.now():
        raise WrongState(state=approval.get_state_display(), command="an emergency")
    if not approval.emergency_allowed:
        raise NoEmergencyPath
    say = refused_alone(approval, actor)
    if say is not None:
        raise say
    if identities(actor, approval.beneficiary_ids) & set(approval.beneficiary_ids):
        raise Beneficiary
    if payload_digest(approval.payload) != approval.payload_hash:
        raise StaleBase
    EmergencyReview(
        approval=approval,
        maker_id=approval.maker_id,
        executed_by=actor.id,
        executed_label=actor.label,
        reason=reason,
        due_at=clock.now() + timedelta(hours=approval.review_hours),
    ).save_as(actor, reason, action="emergency.execute")
    approval_execute(approval, actor, reason, "approval.emergency")
    emit(
        EmergencyExecuted(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            executed_by=actor.id,
            permissions=list(chain_of(approval)[0].permissions),
            entity=approval.entity,
        )
    )
    return approval


def refused_alone(approval: Approval, actor: Actor) -> DomainError | None:
    """Why this person may not carry the change out alone, whatever its policy says; None when they may."""
    stages = chain_of(approval)
    if not any(actor.allows(code) for stage in stages for code in stage.permissions):
        return NotAllowed(permission=stage_words(stages[0].permissions))
    known = EFFECTS.get(approval.action)
    if known is not None and known.two_in_emergency and actor.id == approval.maker_id:
        return SelfApproval()
    return None


@command
def emergency_confirm(*, approval_id: UUID, actor: Actor, reason: str) -> EmergencyReview:
    """Another person finds that it was right. Raises `NotVisible`, `NotAllowed`, `OwnReview`, `WrongState`."""
    review = _to_review(approval_id, actor)
    review.confirm(by=actor, reason=reason)
    review.save_as(actor, reason, action="emergency.confirm")
    return review


@command
def emergency_contest(*, approval_id: UUID, actor: Actor, reason: str) -> EmergencyReview:
    """Another person finds that it was not right: the finding stays in the report. Raises as `emergency_confirm`."""
    review = _to_review(approval_id, actor)
    review.contest(by=actor, reason=reason)
    review.save_as(actor, reason, action="emergency.contest")
    return review


def _to_review(approval_id: UUID, actor: Actor) -> EmergencyReview:
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    known = EmergencyReview.objects.filter(approval=approval).first()
    if known is None:
        raise NotVisible
    review = lock_row(EmergencyReview.objects.all(), known.pk)
    actor.require(REVIEW_EMERGENCY)
    if review.state != EmergencyReview.State.DUE:
        raise WrongState(state=review.get_state_display(), command="a review")
    if actor.id in (review.executed_by, review.maker_id):
        raise OwnReview
    return review
