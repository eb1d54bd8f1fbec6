"""Deciding: taking a request, asking back, voting; the last vote carries the change out, once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals.chain import current_stage
from apps.core.approvals.effects import base_changes, payload_digest, seen_of
from apps.core.approvals.errors import BaseChanged, Claimed
from apps.core.approvals.events import ApprovalReturned, ApprovalTakenOver
from apps.core.approvals.requests import finish, in_the_name_of
from apps.core.approvals.standing import (
    Standing,
    cast_of,
    chain_of,
    counted,
    demoted,
    spent_by,
    standing_of,
    votes_of,
)
from apps.core.commands import command
from apps.core.errors import AlreadyVoted, NotAllowed, StaleBase, WrongState
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval, ApprovalVote, VoteVoid

CLAIM_LEASE = timedelta(minutes=30)


@command
def approval_vote(
    *, approval_id: UUID, actor: Actor, verdict: str, reason: str, expected: str = ""
) -> Approval:
    """Approve or reject a pending change; the last approval needed also carries it out.

    `expected` is `seen_of` the request as the voter saw it: another round or another change is not what they agree to.

    Raises `NotVisible`, `NotAllowed`, `SelfApproval`, `Beneficiary`, `SameDesk`, `AlreadyVoted`, `Claimed`,
    `WrongState`, `StaleBase`, and whatever the change itself is refused with: then the vote is not kept either.
    """
    approval, votes, standing = _to_decide(approval_id, actor)
    if payload_digest(approval.payload) != approval.payload_hash:
        raise StaleBase
    if expected and expected != seen_of(approval):
        raise StaleBase
    named = in_the_name_of(actor, standing.acts_for)
    vote = _vote(approval, standing, actor, ApprovalVote.Verdict(verdict), reason)
    approval.claimed_by = approval.claimed_label = ""
    approval.claimed_until = None
    if vote.verdict == ApprovalVote.Verdict.REJECT:
        approval.reject(by=named, reason=reason)
        finish(approval, named, reason, "approval.reject")
        return approval
    place = current_stage(chain_of(approval), [*cast_of(votes), *cast_of([vote])])
    if place is None:
        approval_execute(approval, named, reason, "approval.approve")
        return approval
    if place != standing.stage:
        hours = chain_of(approval)[place].sla_hours
        approval.stage_due_at = clock.now() + timedelta(hours=hours)
    approval.save_as(named, reason, action="approval.vote")
    return approval


def approval_execute(approval: Approval, actor: Actor, reason: str, action: str) -> None:
    """Carry out a change that everybody needed agreed to: what it stands on is read again first. Part of a command."""
    if changes := base_changes(approval):
        raise BaseChanged(
            changes="; ".join(f"{name}: {then} → {now}" for name, then, now in changes)
        )
    approval.approve(by=actor, reason=reason)
    finish(approval, actor, reason, action)


def _to_decide(approval_id: UUID, actor: Actor) -> tuple[Approval, list[ApprovalVote], Standing]:
    """The locked request, the votes that count, and where the actor stands. Raises why they may not decide."""
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    require_open(approval)
    every = votes_of(approval)
    votes = counted(every, approval.round)
    lost = demoted(approval, votes) if votes else []
    if lost:
        votes = [vote for vote in votes if vote not in lost]
        VoteVoid.objects.bulk_create(
            VoteVoid(
                vote=vote,
                by="system:approvals",
                reason="no longer holds the permission",
                at=clock.now(),
            )
            for vote in lost
        )
    standing = standing_of(approval, actor, votes)
    who = {actor.id, standing.acts_for.id if standing.acts_for else actor.id}
    if who & spent_by(approval, every):
        raise AlreadyVoted
    holder = approval.claimed_now_by
    if holder and holder != actor.id and not actor.is_system:
        raise Claimed(who=approval.claimed_label, until=f"{approval.claimed_until:%H:%M} UTC")
    return approval, votes, standing


def require_open(approval: Approval) -> None:
    """Raises `WrongState` unless somebody can decide now."""
    if approval.state != Approval.State.PENDING:
        raise WrongState(state=approval.get_state_display(), command="a decision")
    if approval.expires_at <= clock.now():
        raise WrongState(state=Approval.State.EXPIRED.label, command="a decision")


def _vote(
    approval: Approval,
    standing: Standing,
    actor: Actor,
    verdict: ApprovalVote.Verdict,
    reason: str,
) -> ApprovalVote:
    holder = standing.acts_for
    return ApprovalVote.objects.create(
        approval=approval,
        round=approval.round,
        stage=standing.stage,
        maker_id=approval.maker_id,
        voter_id=actor.id,
        voter_label=actor.label,
        authority=holder.id if holder else actor.id,
        on_behalf_of=holder.id if holder else "",
        on_behalf_label=holder.label if holder else "",
        permission=standing.permission,
        verdict=verdict,
        reason=reason,
        payload_hash=approval.payload_hash,
        at=clock.now(),
    )


@command
def approval_claim(*, approval_id: UUID, actor: Actor, reason: str = "") -> Approval:
    """Take a request for a while, so that nobody looks at it twice. Raises as a vote does; taking it again renews."""
    approval, _votes, standing = _to_decide(approval_id, actor)
    _take(approval, in_the_name_of(actor, standing.acts_for), reason or "taken", "approval.claim")
    return approval


@command
def approval_take_over(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """Take what a colleague has taken, saying why; they are told. Raises as a vote does."""
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    require_open(approval)
    standing = standing_of(approval, actor)
    before = approval.claimed_now_by
    if not before or before == actor.id:
        raise WrongState(state="nobody else's", command="taking it over")
    _take(approval, in_the_name_of(actor, standing.acts_for), reason, "approval.take_over")
    emit(
        ApprovalTakenOver(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            checker_id=before,
            taken_by=actor.id,
        )
    )
    return approval


def _take(approval: Approval, actor: Actor, reason: str, action: str) -> None:
    approval.claimed_by, approval.claimed_label = actor.id, actor.label
    approval.claimed_until = clock.now() + CLAIM_LEASE
    approval.save_as(actor, reason, action=action)


@command
def approval_release(*, approval_id: UUID, actor: Actor, reason: str = "") -> Approval:
    """Give back what one has taken. Raises `NotVisible`, `WrongState`, `NotAllowed` when it is another's."""
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    require_open(approval)
    if approval.claimed_by != actor.id:
        raise NotAllowed(permission="giving back what somebody else has taken")
    approval.claimed_by = approval.claimed_label = ""
    approval.claimed_until = None
    approval.save_as(actor, reason or "given back", action="approval.release")
    return approval


@command
def approval_return(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """Ask the maker something before deciding; the answer comes back to the one who asked. Raises as a vote does."""
    approval, _votes, standing = _to_decide(approval_id, actor)
    named = in_the_name_of(actor, standing.acts_for)
    approval.give_back(by=named, reason=reason)
    approval.asked_back_by, approval.asked_back_label = actor.id, actor.label
    approval.claimed_by = approval.claimed_label = ""
    approval.claimed_until = None
    approval.save_as(named, reason, action="approval.return")
    emit(
        ApprovalReturned(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            checker_id=actor.id,
        )
    )
    return approval
