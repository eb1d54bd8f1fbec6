"""Staff are told what waits for them and what became of what they asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.approvals.events import (
    ApprovalAnswered,
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRequested,
    ApprovalReturned,
    ApprovalTakenOver,
    EmergencyExecuted,
    EmergencyReviewOverdue,
)
from apps.core.events import event_in_hand, reacts_to
from apps.core.models import Approval
from apps.core.notifications import Kind, notify
from apps.core.notifications.kinds import APPROVAL_DECIDED, APPROVAL_WAITING, CLAIM_TAKEN
from apps.users.notifications import holders_of

SYSTEM = Actor.system("approvals")
DECIDED: dict[str, Any] = {
    Approval.State.APPROVED: _("Approved: {what}"),
    Approval.State.REJECTED: _("Rejected: {what}"),
    Approval.State.EXPIRED: _("Expired: {what}"),
}


def _user_id(actor_id: str) -> int | None:
    prefix, _colon, number = actor_id.partition(":")
    return int(number) if prefix == "user" and number.isdigit() else None


def _tell(approval_id: UUID, user_ids: Iterable[int | None], kind: Kind, words: Any) -> None:
    """One line for each event and person; the page behind it checks who may see it."""
    approval = Approval.objects.get(pk=approval_id)
    event = event_in_hand()
    notify(
        user_ids=[user_id for user_id in user_ids if user_id is not None],
        kind=kind,
        title=format_lazy(words, what=approval.title),
        url=reverse("admin:core_approval_change", args=[approval.pk]),
        actor=SYSTEM,
        key=event.key if event is not None else "",
    )


def _holders(approval_id: UUID, permissions: Iterable[str], *but: str) -> set[int | None]:
    """Whoever may decide and sees the row, but for those named."""
    approval = Approval.objects.get(pk=approval_id)
    found: set[int | None] = {
        user.pk for code in permissions for user in holders_of(code, subject=approval)
    }
    return found - {_user_id(actor_id) for actor_id in but}


@reacts_to(ApprovalRequested)
def notify_approval_waits(event: ApprovalRequested) -> None:
    readers = _holders(event.approval_id, event.permissions, event.maker_id)
    _tell(event.approval_id, readers, APPROVAL_WAITING, _("An approval waits for you: {what}"))


@reacts_to(ApprovalEscalated)
def notify_approval_escalated(event: ApprovalEscalated) -> None:
    readers = _holders(event.approval_id, event.permissions, event.maker_id)
    _tell(event.approval_id, readers, APPROVAL_WAITING, _("Nobody has decided yet: {what}"))


@reacts_to(ApprovalDecided)
def notify_approval_decided(event: ApprovalDecided) -> None:
    """The maker, unless the maker took it back."""
    words = DECIDED.get(event.state)
    if words is not None and event.decided_by != event.maker_id:
        _tell(event.approval_id, [_user_id(event.maker_id)], APPROVAL_DECIDED, words)


@reacts_to(ApprovalReturned)
def notify_approval_returned(event: ApprovalReturned) -> None:
    words = _("Returned to you: {what}")
    _tell(event.approval_id, [_user_id(event.maker_id)], APPROVAL_DECIDED, words)


@reacts_to(ApprovalAnswered)
def notify_approval_answered(event: ApprovalAnswered) -> None:
    words = _("Your question was answered: {what}")
    _tell(event.approval_id, [_user_id(event.checker_id)], APPROVAL_WAITING, words)


@reacts_to(ApprovalTakenOver)
def notify_claim_taken(event: ApprovalTakenOver) -> None:
    words = _("Somebody took over: {what}")
    _tell(event.approval_id, [_user_id(event.checker_id)], CLAIM_TAKEN, words)


@reacts_to(EmergencyExecuted)
def notify_emergency(event: EmergencyExecuted) -> None:
    readers = _holders(event.approval_id, event.permissions, event.executed_by)
    _tell(event.approval_id, readers, APPROVAL_WAITING, _("Done alone, to be reviewed: {what}"))


@reacts_to(EmergencyReviewOverdue)
def notify_review_overdue(event: EmergencyReviewOverdue) -> None:
    readers = _holders(event.approval_id, event.permissions, event.executed_by)
    _tell(event.approval_id, readers, APPROVAL_WAITING, _("A review is overdue: {what}"))
