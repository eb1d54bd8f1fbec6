"""Time: what nobody decides goes to the next role, and in the end it expires."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals.chain import current_stage
from apps.core.approvals.events import ApprovalEscalated, EmergencyReviewOverdue
from apps.core.approvals.requests import finish
from apps.core.approvals.standing import (
    cast_of,
    chain_of,
    counted,
    eligible,
    stages_kept,
    votes_of,
)
from apps.core.commands import command
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval, EmergencyReview, Severity

log = logging.getLogger(__name__)
NEXT = {Severity.NORMAL: Severity.HIGH, Severity.HIGH: Severity.CRITICAL}
SWEPT_AT_ONCE = 500


def _each(ids: Iterable[Any], step: Callable[..., bool], actor: Actor, trouble: str) -> int:
    """Run `step` for each in a transaction of its own; one that fails is reported and keeps no other waiting."""
    done = 0
    for key in list(ids):
        try:
            done += step(approval_id=key, actor=actor)
        except Exception:
            log.exception(trouble, extra={"approval": str(key)})
    return done


def approvals_expire(*, actor: Actor) -> int:
    """Close what nobody decided in time, each in a transaction of its own. Returns how many.

    What an approval held is set free with it, so one that cannot be closed is reported and keeps no other open.
    """
    overdue = Approval.objects.open().filter(expires_at__lte=clock.now()).order_by("pk")
    ids = overdue.values_list("pk", flat=True)
    return _each(ids, approval_expire, actor, "an approval could not expire")


@command
def approval_expire(*, approval_id: UUID, actor: Actor) -> bool:
    """Close one whose time is over. False when it was decided in the meantime."""
    approval = lock_row(Approval.objects.all(), approval_id)
    if not approval.is_open or approval.expires_at > clock.now():
        return False
    approval.expire(by=actor, reason="expired")
    finish(approval, actor, "expired", "approval.expire")
    return True


def approvals_escalate(*, actor: Actor) -> int:
    """Hand on what is late, and what too few people on duty can decide. Returns how many."""
    waiting = Approval.objects.filter(state=Approval.State.PENDING, expires_at__gt=clock.now())
    late = waiting.filter(stage_due_at__lte=clock.now()).exclude(severity=Severity.CRITICAL)
    fresh = waiting.filter(severity=Severity.NORMAL).exclude(pk__in=late.values("pk"))
    short = [row.pk for row in fresh.order_by("pk")[:SWEPT_AT_ONCE] if eligible(row).short]
    ids = [*late.order_by("pk").values_list("pk", flat=True)[:SWEPT_AT_ONCE], *short]
    return _each(ids, approval_escalate, actor, "an approval could not be escalated")


@command
def approval_escalate(*, approval_id: UUID, actor: Actor) -> bool:
    """Let the next role decide as well, and raise how urgent it is. False when there is no cause any more."""
    approval = lock_row(Approval.objects.all(), approval_id)
    severity = NEXT.get(Severity(approval.severity))
    if approval.state != Approval.State.PENDING or severity is None:
        return False
    why = _cause(approval)
    place = current_stage(chain_of(approval), _cast(approval))
    if not why or place is None:
        return False
    chain = list(chain_of(approval))
    chain[place] = chain[place].escalated()
    approval.stages = stages_kept(tuple(chain))
    approval.severity = severity
    approval.escalations += 1
    approval.stage_due_at = clock.now() + timedelta(hours=chain[place].sla_hours)
    approval.save_as(actor, why, action="approval.escalate")
    emit(
        ApprovalEscalated(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            permissions=list(chain[place].permissions),
            entity=approval.entity,
            severity=str(severity),
            why=why,
        )
    )
    return True


def _cast(approval: Approval) -> Any:
    return cast_of(counted(votes_of(approval), approval.round))


def _cause(approval: Approval) -> str:
    if approval.is_overdue or approval.stage_due_at == clock.now():
        return "nobody decided in time"
    able = eligible(approval)
    if approval.severity == Severity.NORMAL and able.short:
        return f"{len(able.people)} on duty may decide, {able.needed} are needed"
    return ""


def reviews_remind(*, actor: Actor) -> int:
    """Tell once of every emergency that nobody reviewed in time. Returns how many."""
    late = EmergencyReview.objects.filter(
        state=EmergencyReview.State.DUE, due_at__lte=clock.now(), overdue_told_at=None
    )
    ids = late.order_by("pk").values_list("approval_id", flat=True)
    return _each(ids, review_remind, actor, "a late review could not be told of")


@command
def review_remind(*, approval_id: UUID, actor: Actor) -> bool:
    """Say that a review is late. False when it was done, or told of, in the meantime."""
    review = lock_row(
        EmergencyReview.objects.all(), EmergencyReview.objects.get(approval_id=approval_id).pk
    )
    if review.state != EmergencyReview.State.DUE or review.overdue_told_at is not None:
        return False
    review.overdue_told_at = clock.now()
    review.save_as(actor, "nobody reviewed it in time", action="emergency.overdue")
    approval = review.approval
    emit(
        EmergencyReviewOverdue(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            executed_by=review.executed_by,
            permissions=list(chain_of(approval)[0].permissions),
            entity=approval.entity,
        )
    )
    return True
