"""Asking for a change: the request, its revision, the answer to a question, taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals.chain import Chain, Stage, at_least, people_needed
from apps.core.approvals.effects import EFFECTS, diff_of, payload_digest, plain
from apps.core.approvals.errors import AlreadyAsked, NotRevisable, NotTheMaker
from apps.core.approvals.events import ApprovalAnswered, ApprovalDecided, ApprovalRequested
from apps.core.approvals.policies import Policy, in_base, policy_for
from apps.core.approvals.standing import chain_of, is_void, stages_kept, votes_of
from apps.core.commands import command, joined
from apps.core.context import under_approval
from apps.core.errors import DomainError, WrongState
from apps.core.events import emit
from apps.core.locks import lock_row, lock_rows
from apps.core.models import Approval, ApprovalRound, Severity, VoteVoid
from apps.core.money import Money
from apps.core.permissions import Permission

ANSWER_LEASE = timedelta(hours=24)
Diff = Sequence[tuple[str, Any, Any, Any]]


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
    amount: Money | None = None,
    base_amount: Money | None = None,
    risk_band: str = "",
    base: dict[str, Any] | None = None,
    diff: Diff | None = None,
    beneficiary_ids: Iterable[Any] = (),
) -> Approval:
    """Store a change that waits for other people: those whom the policy of `action` names, and at least `required`.

    Without a policy it is `required` people who hold `permission`. `amount` and `risk_band` choose the band;
    `base_amount` is the amount where the caller has it in the policy's currency already. `diff` tells people
    (field, label, before, after). Whoever stands in `beneficiary_ids` (logins or clients) never decides.
    """
    if action not in EFFECTS:
        raise KeyError(f"nothing is registered to run when {action} is approved")
    kept, policy = plain(payload), policy_for(action)
    approval = Approval(
        action=action,
        title=title,
        subject_type=subject._meta.label if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        entity=entity,
        desk_id=desk_id,
        client_id=client_id,
        payload=kept,
        payload_hash=payload_digest(kept),
        maker_id=actor.id,
        maker_label=actor.label,
        maker_desk_id=actor.scope.desk_id,
        reason=reason,
        risk_band=risk_band,
        beneficiary_ids=sorted({str(i) for i in beneficiary_ids if i}),
        permission=permission.code,
        expires_at=clock.now() + _lifetime(policy, expires_in),
    )
    _set_base(approval, base)
    approval.diff = diff_of(kept, approval.base, list(diff or []))
    _set_chain(approval, policy, required, amount, base_amount)
    approval.save_as(actor, reason, action="approval.request")
    _keep_round(approval, reason)
    _tell(approval)
    return approval


def _lifetime(policy: Policy | None, otherwise: timedelta) -> timedelta:
    return timedelta(hours=policy.data.expires_hours) if policy is not None else otherwise


def _set_base(approval: Approval, base: dict[str, Any] | None) -> None:
    reader = EFFECTS[approval.action].base
    if base is None and reader is not None:
        base = reader(approval)
    approval.base = None if base is None else plain(base)


def _set_chain(
    approval: Approval,
    policy: Policy | None,
    required: int,
    amount: Money | None,
    base_amount: Money | None,
) -> None:
    chain: Chain = (Stage((approval.permission,), required),)
    if policy is not None:
        known, currency = in_base(amount, base_amount, policy.data.base_currency)
        chain = at_least(policy.chain(known, approval.risk_band), required)
        approval.base_amount, approval.base_currency = known, currency if known is not None else ""
        approval.policy_version = policy.version
        approval.emergency_allowed = policy.data.emergency
        approval.review_hours = policy.data.review_hours
    approval.amount = str(amount) if amount is not None else ""
    approval.stages = stages_kept(chain)
    approval.required = people_needed(chain)
    approval.permission = chain[0].permissions[0]
    approval.stage_due_at = clock.now() + timedelta(hours=chain[0].sla_hours)


def _keep_round(approval: Approval, reason: str) -> None:
    ApprovalRound.objects.create(
        approval=approval,
        number=approval.round,
        payload=approval.payload,
        payload_hash=approval.payload_hash,
        diff=approval.diff,
        base=approval.base,
        reason=reason,
        at=clock.now(),
    )


def _tell(approval: Approval) -> None:
    emit(
        ApprovalRequested(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            permissions=list(chain_of(approval)[0].permissions),
            entity=approval.entity,
        )
    )


def _of_maker(approval_id: UUID, actor: Actor) -> Approval:
    approval = lock_row(Approval.objects.all(), approval_id, visible_to=actor)
    if not approval.is_open:
        raise WrongState(state=approval.get_state_display(), command="a change of it")
    if approval.maker_id != actor.id:
        raise NotTheMaker(maker=approval.maker_label)
    return approval


@command
def approval_revise(
    *,
    approval_id: UUID,
    payload: dict[str, Any],
    actor: Actor,
    reason: str,
    title: str = "",
    diff: Diff | None = None,
    amount: Money | None = None,
    base_amount: Money | None = None,
    risk_band: str | None = None,
) -> Approval:
    """The maker changes what is asked for: a new round. Every vote so far is void and stays readable.

    It never needs fewer people than before. Raises `NotVisible`, `NotTheMaker`, `NotRevisable`, `WrongState` and
    what the action refuses the new payload with.
    """
    approval = _of_maker(approval_id, actor)
    check = EFFECTS[approval.action].revise
    if check is None:
        raise NotRevisable
    kept = plain(payload)
    check(approval, kept)
    if risk_band is not None:
        approval.risk_band = risk_band
    if amount is not None or base_amount is not None:
        _set_chain(approval, policy_for(approval.action), approval.required, amount, base_amount)
    approval.title = title or approval.title
    _set_base(approval, None)
    approval.payload, approval.payload_hash = kept, payload_digest(kept)
    approval.diff = diff_of(kept, approval.base, list(diff or []))
    _new_round(approval, actor, reason, "approval.revise")
    return approval


@command
def approval_rebase(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """The maker sets the same change on what is there now: a new round, so that everybody looks again.

    Raises `NotVisible`, `NotTheMaker`, `NotRevisable` (it stands on nothing), `WrongState`.
    """
    approval = _of_maker(approval_id, actor)
    effect = EFFECTS[approval.action]
    if effect.base is None or not effect.rebases:
        raise NotRevisable
    _set_base(approval, None)
    now: dict[str, Any] = approval.base or {}
    approval.diff = [
        {**line, "before": now.get(line["field"], line["before"])} for line in approval.diff
    ]
    _new_round(approval, actor, reason, "approval.rebase")
    return approval


def _new_round(approval: Approval, actor: Actor, reason: str, action: str) -> None:
    votes_void(approval, actor, reason)
    approval.round += 1
    approval.claimed_by = approval.claimed_label = ""
    approval.claimed_until = None
    chain = chain_of(approval)
    approval.stage_due_at = clock.now() + timedelta(hours=chain[0].sla_hours)
    if approval.state == Approval.State.RETURNED:
        approval.resume(by=actor, reason=reason)
    approval.save_as(actor, reason, action=action)
    _keep_round(approval, reason)
    _tell(approval)


def votes_void(approval: Approval, actor: Actor, reason: str) -> None:
    """Mark every vote of this round that still counts. Part of a command."""
    VoteVoid.objects.bulk_create(
        VoteVoid(vote=vote, by=actor.id, reason=reason, at=clock.now())
        for vote in votes_of(approval)
        if vote.round == approval.round and not is_void(vote)
    )


@command
def approval_answer(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """The maker answers, and it is with the checker who asked. Raises `NotVisible`, `NotTheMaker`, `WrongState`."""
    approval = _of_maker(approval_id, actor)
    if approval.state != Approval.State.RETURNED:
        raise WrongState(state=approval.get_state_display(), command="an answer")
    approval.resume(by=actor, reason=reason)
    approval.claimed_by, approval.claimed_label = approval.asked_back_by, approval.asked_back_label
    approval.claimed_until = clock.now() + ANSWER_LEASE
    approval.save_as(actor, reason, action="approval.answer")
    emit(
        ApprovalAnswered(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            checker_id=approval.asked_back_by,
        )
    )
    return approval


@command
def approval_withdraw(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    """The maker takes the request back. Raises `NotVisible`, `NotTheMaker`, `WrongState`."""
    approval = _of_maker(approval_id, actor)
    approval.withdraw(by=actor, reason=reason)
    finish(approval, actor, reason, "approval.withdraw")
    return approval


def approval_cancel(*, approval: Approval, actor: Actor, reason: str) -> None:
    """Withdraw a request whose subject went away: part of another command, no effect of its own.

    The approval is locked by `approval_locked`, before the row that it is about: a vote takes them in that order too.
    """
    if approval.is_open:
        approval.withdraw(by=actor, reason=reason)
        finish(approval, actor, reason, "approval.withdraw", effect=False)


def approvals_end_of(*, maker_id: str, actor: Actor, reason: str) -> int:
    """Take back every open request of somebody who leaves, with what belongs to its end. Part of the caller's command.

    What cannot be taken back never holds the cut-off up: it stays and is marked critical for whoever decides.
    """
    leaving = replace(Actor.system("leavers"), on_behalf_of=actor.id)
    ended = 0
    for approval in lock_rows(Approval.objects.open().filter(maker_id=maker_id)):
        try:
            with transaction.atomic():
                approval.withdraw(by=leaving, reason=reason)
                finish(approval, leaving, reason, "approval.withdraw")
        except DomainError:
            stays = lock_row(Approval.objects.all(), approval.pk)
            stays.severity = Severity.CRITICAL
            stays.save_as(leaving, reason, action="approval.maker_left")
        ended += 1
    return ended


def approval_open(action: str, subject: models.Model) -> Approval | None:
    """The request for this act on this row that still waits, if there is one. Call it under the row's lock."""
    return (
        Approval.objects.open()
        .filter(action=action, subject_type=subject._meta.label, subject_id=str(subject.pk))
        .first()
    )


def require_none_open(action: str, subject: models.Model) -> None:
    """Raises `AlreadyAsked` while the same act on this row waits for somebody."""
    waiting = approval_open(action, subject)
    if waiting is not None:
        raise AlreadyAsked(maker=waiting.maker_label)


def approval_locked(approval_id: UUID | None) -> Approval | None:
    """The approval of a row, locked before the row itself; None when the row waits for nobody.

    Whoever changes a row that may have an approval takes both in this order, like the vote that carries it out.
    """
    if approval_id is None:
        return None
    return lock_row(Approval.objects.all(), approval_id)


def finish(
    approval: Approval, actor: Actor, reason: str, action: str, *, effect: bool = True
) -> None:
    """Keep the end of a request, tell of it, and run what belongs to it in the same transaction."""
    approval.save_as(actor, reason, action=action)
    emit(
        ApprovalDecided(
            approval_id=approval.pk,
            action=approval.action,
            maker_id=approval.maker_id,
            state=str(approval.state),
            decided_by=actor.id,
        )
    )
    known = EFFECTS.get(approval.action)
    if not effect or known is None:
        return
    run = known.execute if approval.state == Approval.State.APPROVED else known.on_reject
    if run is not None:
        with joined(), under_approval(approval.pk):
            run(approval, actor=actor)


def in_the_name_of(actor: Actor, holder: Actor | None) -> Actor:
    """The same person, named in every trail as acting with a colleague's authority."""
    return replace(actor, on_behalf_of=holder.id) if holder is not None else actor
