"""What reviewers do with a case. One at a time, on a claim; the rules have the last word."""

from __future__ import annotations

from uuid import UUID

from django_fsm import can_proceed

from apps.clients.enums import LiftBy, RestrictionKind, RestrictionSource
from apps.clients.models import Client, Restriction
from apps.clients.services import activate_when_ready
from apps.clients.services.lifecycle import application_reject
from apps.clients.services.restrictions import impose
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput
from apps.core.events import emit
from apps.kyc.enums import UNDECIDED, WITH_STAFF, CaseRejectReason, CaseState, DocumentState
from apps.kyc.errors import (
    CaseStateForbids,
    ClaimedByOther,
    CommentRequired,
    DocumentsMissing,
    DocumentsUndecided,
    NothingRejected,
)
from apps.kyc.events import KycApproved, KycRejected, KycResubmissionRequested
from apps.kyc.locks import case_locked
from apps.kyc.models import KycCase
from apps.kyc.permissions import APPROVE_CASE, REJECT_CASE, REVIEW_CASE
from apps.kyc.selectors import accepted_evidence, documents_of
from apps.kyc.services.cases import refuse_own, require_reviewable, tell_client
from apps.rules.points import KYC_LEVEL
from apps.rules.services import Decision, decide


@command
def case_claim(*, case_id: UUID, actor: Actor) -> KycCase:
    """Take a case, so that nobody else works on it for `CLAIM_TTL`; claiming again renews it.

    Raises `NotVisible`, `NotAllowed`, `CaseStateForbids`, `OwnCase`, `ClaimedByOther`.
    """
    _client, case = case_locked(case_id, visible_to=actor)
    actor.require(REVIEW_CASE, case)
    if CaseState(case.state) not in WITH_STAFF:
        raise CaseStateForbids(state=case.get_state_display())
    refuse_own(case.client_id, actor)
    if actor.user_id is None:
        return case
    if case.claim_holder() not in (None, actor.user_id):
        raise ClaimedByOther(who=case.claimed_by, since=f"{case.claimed_at:%H:%M} UTC")
    case.claimed_by_id = actor.user_id
    case.claimed_at = clock.now()
    case.save_as(actor, "claimed", action="kyc.claim")
    return case


@command
def case_release(*, case_id: UUID, actor: Actor) -> KycCase:
    """Give a case back to the queue. Raises what `case_claim` raises."""
    _client, case = case_locked(case_id, visible_to=actor)
    actor.require(REVIEW_CASE, case)
    require_reviewable(case, actor=actor)
    case.claimed_by = None
    case.claimed_at = None
    case.save_as(actor, "released", action="kyc.release")
    return case


@command
def case_approve(
    *, case_id: UUID, actor: Actor, reason: str, internal_comment: str = ""
) -> KycCase:
    """The client is who they say. The rules name the level; an application that lacks nothing else
    becomes active in the same transaction.

    Raises `NotVisible`, `NotAllowed`, what `require_reviewable` raises, `DocumentsUndecided`,
    `DocumentsMissing` when the evidence gives no level, and the rules' refusal.
    """
    client, case = case_locked(case_id, visible_to=actor)
    actor.require(APPROVE_CASE, case)
    require_reviewable(case, actor=actor)
    _require_decided(case)
    decision = _level(case, client, actor=actor)
    decision.raise_unless_allowed()
    level = int(decision.obligations["level"])
    if level < 1:
        raise DocumentsMissing(documents=", ".join(decision.obligations["documents"]))
    case.decision_id = decision.id
    case.deposit_limit_minor = decision.obligations["deposit_limit_minor"]
    case.withdrawal_limit_minor = decision.obligations["withdrawal_limit_minor"]
    case.internal_comment = internal_comment or case.internal_comment
    case.approve(level, by=actor, reason=reason)
    case.save_as(actor, reason, action="kyc.approve")
    tell_client(case, client, actor=actor, reason=reason)
    activate_when_ready(client, actor=actor, reason="identity verified")
    emit(KycApproved(client_id=client.id, case_id=case.id, level=level))
    return case


@command
def case_request_resubmission(
    *,
    case_id: UUID,
    actor: Actor,
    reason: str,
    client_comment: str = "",
    internal_comment: str = "",
) -> KycCase:
    """RETRY: the client sends the rejected documents again.

    Raises `NotVisible`, `NotAllowed`, what `require_reviewable` raises, `DocumentsUndecided`,
    `NothingRejected`.
    """
    client, case = case_locked(case_id, visible_to=actor)
    actor.require(REVIEW_CASE, case)
    require_reviewable(case, actor=actor)
    _require_decided(case)
    rejected = [item for item in documents_of(case) if item.state == DocumentState.REJECTED]
    if not rejected:
        raise NothingRejected
    case.internal_comment = internal_comment or case.internal_comment
    case.request_resubmission(client_comment.strip(), by=actor, reason=reason)
    _to_client(case, client, "kyc.request_resubmission", actor=actor, reason=reason)
    return case


@command
def case_request_information(
    *,
    case_id: UUID,
    client_comment: str,
    actor: Actor,
    reason: str,
    internal_comment: str = "",
) -> KycCase:
    """Something is missing that no rejected document shows; `client_comment` says what.

    Raises `NotVisible`, `NotAllowed`, what `require_reviewable` raises, `CommentRequired`.
    """
    client, case = case_locked(case_id, visible_to=actor)
    actor.require(REVIEW_CASE, case)
    require_reviewable(case, actor=actor)
    if not client_comment.strip():
        raise CommentRequired
    case.internal_comment = internal_comment or case.internal_comment
    case.request_information(client_comment.strip(), by=actor, reason=reason)
    _to_client(case, client, "kyc.request_information", actor=actor, reason=reason)
    return case


@command
def case_escalate(*, case_id: UUID, actor: Actor, reason: str) -> KycCase:
    """Somebody senior decides; the client sees no difference. Raises `NotVisible`, `NotAllowed`,
    what `require_reviewable` raises."""
    client, case = case_locked(case_id, visible_to=actor)
    actor.require(REVIEW_CASE, case)
    require_reviewable(case, actor=actor)
    if not can_proceed(case.escalate):
        raise CaseStateForbids(state=case.get_state_display())
    case.escalate(by=actor, reason=reason)
    case.save_as(actor, reason, action="kyc.escalate")
    tell_client(case, client, actor=actor, reason=reason)
    return case


@command
def case_reject(
    *, case_id: UUID, code: str, actor: Actor, reason: str, internal_comment: str = ""
) -> KycCase:
    """FINAL: no relationship. An applicant is rejected; a client who was verified before may only
    close positions and withdraw, until compliance lifts it.

    Raises `NotVisible`, `NotAllowed`, what `require_reviewable` raises, `InvalidInput`.
    """
    client, case = case_locked(case_id, visible_to=actor)
    actor.require(REJECT_CASE, case)
    require_reviewable(case, actor=actor)
    if code not in CaseRejectReason.values:
        raise InvalidInput(field="code", problem=code)
    case.internal_comment = internal_comment or case.internal_comment
    case.reject(code, by=actor, reason=reason)
    case.save_as(actor, reason, action="kyc.reject")
    tell_client(case, client, actor=actor, reason=reason)
    if not application_reject(client, actor=actor, reason="identity not verified"):
        _hold_back(client, case, actor=actor)
    emit(KycRejected(client_id=client.id, case_id=case.id))
    return case


def _to_client(case: KycCase, client: Client, action: str, *, actor: Actor, reason: str) -> None:
    case.save_as(actor, reason, action=action)
    tell_client(case, client, actor=actor, reason=reason)
    emit(KycResubmissionRequested(client_id=client.id, case_id=case.id))


def _level(case: KycCase, client: Client, *, actor: Actor) -> Decision:
    accepted = accepted_evidence(case)
    return decide(
        KYC_LEVEL,
        {
            "country": client.country,
            "documents_accepted": accepted,
            "risk_rating": client.risk_rating,
            "pep": client.pep_declared,
            "source_of_funds_verified": "SOF" in accepted,
            "category": client.category,
            "client_type": client.kind,
        },
        actor=actor,
        subject=case,
        entity=client.entity.code,
        client_id=client.id,
    )


def _require_decided(case: KycCase) -> None:
    undecided = [str(item) for item in documents_of(case) if item.state in UNDECIDED]
    if undecided:
        raise DocumentsUndecided(documents=", ".join(undecided))


def _hold_back(client: Client, case: KycCase, *, actor: Actor) -> None:
    for kind in (RestrictionKind.NO_DEPOSIT, RestrictionKind.CLOSE_ONLY):
        held = Restriction.objects.filter(
            client=client,
            kind=kind,
            source=RestrictionSource.KYC,
            source_ref=str(case.id),
            lifted_at=None,
        )
        if not held.exists():
            impose(
                client,
                kind=kind,
                reason="identity not verified",
                actor=actor,
                source=RestrictionSource.KYC,
                source_ref=str(case.id),
                lift_by=LiftBy.COMPLIANCE,
            )
