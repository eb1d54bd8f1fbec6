"""Access reviews: opened for everybody, decided line by line by somebody else, signed with a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import NotAllowed, WrongState
from apps.core.locks import lock_row, lock_rows
from apps.core.permissions import REGISTRY
from apps.users.errors import OwnLine, ReviewNotDone
from apps.users.locks import staff_locked
from apps.users.models import (
    AccessReview,
    AccessReviewLine,
    PermissionUse,
    RoleGrant,
    User,
    quarter_of,
)
from apps.users.permissions import REVIEW_ACCESS
from apps.users.reach import reach_of
from apps.users.services.access import grant_end
from apps.users.services.leaving import cut_off

REVIEW_TIME = timedelta(days=21)
UNUSED_AFTER = timedelta(days=90)


@command
def access_review_open(*, actor: Actor, reason: str, code: str = "") -> AccessReview | None:
    """Open the review of this quarter with a line for every role that every member of staff holds.

    None when there is one already, however it stands. Raises `NotAllowed`.
    """
    actor.require(REVIEW_ACCESS)
    now = clock.now()
    code = code or quarter_of(now.date())
    if AccessReview.objects.filter(code=code).exists():
        return None
    review = AccessReview(code=code, due_at=now + REVIEW_TIME)
    review.save_as(actor, reason, action="access_review.open")
    used = _used_since((now - UNUSED_AFTER).date())
    for user in User.objects.staff().order_by("pk"):
        held: list[RoleGrant | None] = list(
            RoleGrant.objects.in_force(now).filter(user=user).select_related("role")
        )
        for grant in held or [None]:
            _line(review, user, grant, used.get(user.pk, set())).save_as(
                actor, reason, action="access_review.line"
            )
    return review


def _line(
    review: AccessReview, user: User, grant: RoleGrant | None, used: set[str]
) -> AccessReviewLine:
    reach = reach_of(user)
    sees = [reach["scope_level"], *reach["entities"], *reach.get("jurisdictions", ())]
    return AccessReviewLine(
        review=review,
        user=user,
        grant=grant,
        role=grant.role.name if grant else "",
        held_since=grant.valid_from if grant else None,
        sees=" ".join(str(part) for part in sees),
        last_sign_in=user.last_login,
        unused=sorted(_acting(grant) - used) if grant else [],
    )


def _acting(grant: RoleGrant) -> set[str]:
    """The role's permissions to do something; merely seeing leaves no trace of its use."""
    rows = grant.role.permissions.values_list("content_type__app_label", "codename")
    codes = {f"{app}.{name}" for app, name in rows}
    return {code for code in codes & set(REGISTRY) if ".view_" not in code}


def _used_since(day: Any) -> dict[int, set[str]]:
    used: dict[int, set[str]] = {}
    rows = PermissionUse.objects.filter(last_on__gte=day).values_list("user_id", "code")
    for user_id, code in rows:
        used.setdefault(user_id, set()).add(code)
    return used


@command
def review_line_keep(*, accessreviewline_id: UUID, actor: Actor, reason: str) -> AccessReviewLine:
    """This access is still needed. Raises `NotVisible`, `NotAllowed`, `OwnLine`, `WrongState`."""
    line = _line_locked(accessreviewline_id, actor)
    _decide(line, AccessReviewLine.Decision.KEEP, actor, reason)
    return line


@command
def review_line_revoke(*, accessreviewline_id: UUID, actor: Actor, reason: str) -> AccessReviewLine:
    """The role ends now; a login without any role is cut off. What ended meanwhile stays ended.

    Raises `NotVisible`, also for somebody who works for a company beyond the actor's, `NotAllowed`, `OwnLine`,
    `WrongState`, `LastAdmin`.
    """
    line = _line_locked(accessreviewline_id, actor)
    user = staff_locked(line.user_id, actor)
    if line.grant_id is not None:
        grant_end(lock_row(RoleGrant.objects.all(), line.grant_id), actor=actor, reason=reason)
    elif user.left_at is None and not RoleGrant.objects.in_force().filter(user=user).exists():
        cut_off(user, actor=actor, reason=reason)
    _decide(line, AccessReviewLine.Decision.REVOKE, actor, reason)
    return line


@command
def access_review_sign(*, accessreview_id: UUID, actor: Actor, reason: str) -> AccessReview:
    """Close the review: every line is decided, and its digest says which way.

    Raises `NotAllowed`, `WrongState`, `ReviewNotDone`.
    """
    review = lock_row(AccessReview.objects.all(), accessreview_id)
    actor.require(REVIEW_ACCESS, review)
    if review.state != AccessReview.State.OPEN:
        raise WrongState(state=review.get_state_display(), command="signing")
    lines = lock_rows(AccessReviewLine.objects.filter(review=review))
    waiting = sum(line.decision == AccessReviewLine.Decision.OPEN for line in lines)
    if waiting:
        raise ReviewNotDone(open=waiting)
    review.sign(by_label=actor.label, digest=review_digest(lines))
    review.save_as(actor, reason, action="access_review.sign")
    return review


def review_digest(lines: Iterable[AccessReviewLine]) -> str:
    """A digest of who held what and what was decided, by whom and why; the same whenever it is computed."""
    facts = [
        [str(line.pk), line.user_id, str(line.grant_id or ""), line.role, line.sees, line.decision,
         line.decided_by_id, line.decided_at.isoformat() if line.decided_at else "", line.reason]
        for line in sorted(lines, key=lambda line: str(line.pk))
    ]  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def _line_locked(line_id: UUID, actor: Actor) -> AccessReviewLine:
    line = lock_row(AccessReviewLine.objects.all(), line_id, visible_to=actor)
    actor.require(REVIEW_ACCESS, line)
    if actor.user_id is None:
        raise NotAllowed(permission=REVIEW_ACCESS.label)
    if line.user_id == actor.user_id:
        raise OwnLine
    if line.review.state != AccessReview.State.OPEN:
        raise WrongState(state=line.review.get_state_display(), command="a decision")
    return line


def _decide(line: AccessReviewLine, decision: str, actor: Actor, reason: str) -> None:
    """A line may be decided again while the review is open; the history keeps both."""
    if line.decision == AccessReviewLine.Decision.REVOKE:
        raise WrongState(state=line.get_decision_display(), command="a decision")
    line.decision = decision
    line.decided_by_id = actor.user_id
    line.decided_at = clock.now()
    line.reason = reason
    line.save_as(actor, reason, action=f"access_review.{decision.lower()}")
