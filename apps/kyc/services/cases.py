"""What the commands on a case share."""

from __future__ import annotations

from json import dumps, loads
from uuid import UUID

from django_fsm import can_proceed

from apps.clients.enums import KycStatus
from apps.clients.models import Client, ClientLogin
from apps.clients.services import client_risk_set, verification_take
from apps.core.actor import Actor
from apps.core.locks import lock_row
from apps.kyc.enums import WITH_STAFF, CaseState
from apps.kyc.errors import CaseStateForbids, ClaimedByOther, NotClaimed, OwnCase
from apps.kyc.models import KycCase, default_evidence
from apps.kyc.selectors import risk_assessment
from apps.rules.points import CLIENT_ONBOARDING
from apps.rules.services import decide

_STATUS_OF = {
    CaseState.NOT_STARTED: KycStatus.NOT_STARTED,
    CaseState.IN_PROGRESS: KycStatus.IN_PROGRESS,
    CaseState.SUBMITTED: KycStatus.SUBMITTED,
    CaseState.AUTO_CHECK: KycStatus.SUBMITTED,
    CaseState.MANUAL_REVIEW: KycStatus.MANUAL_REVIEW,
    CaseState.INFO_REQUESTED: KycStatus.INFO_REQUESTED,
    CaseState.RESUBMISSION_REQUESTED: KycStatus.RESUBMISSION_REQUESTED,
    CaseState.ESCALATED: KycStatus.ESCALATED,
    CaseState.APPROVED: KycStatus.APPROVED,
    CaseState.REVIEW_DUE: KycStatus.REVIEW_DUE,
    CaseState.EXPIRED: KycStatus.EXPIRED,
    CaseState.REJECTED: KycStatus.REJECTED,
    CaseState.WITHDRAWN: KycStatus.NOT_STARTED,
}


def case_for(client: Client, *, actor: Actor) -> KycCase:
    """The locked case of a locked client, opened at first need."""
    pk = KycCase.objects.filter(client=client).values_list("pk", flat=True).first()
    if pk is not None:
        case = lock_row(KycCase.objects.all(), pk)
        case.client = client
        return case
    case = KycCase(client=client)
    ask_rules(case, client)
    case.save_as(actor, "opened", action="kyc.open")
    return case


def ask_rules(case: KycCase, client: Client) -> bool:
    """Rate the risk of what was declared and find which evidence the rules ask for. Whether the
    case changed; the caller saves it. The rating is stored with the client, in the machine's name.
    """
    machine = Actor.system("kyc-checks")
    assessment = risk_assessment(client)
    if (client.risk_rating, client.risk_score) != (assessment.rating, assessment.score):
        client_risk_set(
            client,
            rating=assessment.rating,
            score=assessment.score,
            actor=machine,
            reason=f"risk model v{assessment.version}",
        )
    decision = decide(
        CLIENT_ONBOARDING,
        {
            "country": client.country,
            "category": client.category,
            "citizenship": client.person.citizenship,
            "risk_rating": client.risk_rating,
            "pep": client.pep_declared,
        },
        actor=machine,
        subject=client,
        entity=client.entity.code,
        client_id=client.id,
    )
    before = (case.risk, case.needed)
    case.risk = loads(dumps(assessment.plain()))
    case.needed = sorted(decision.obligations["documents"]) or default_evidence()
    return (case.risk, case.needed) != before


def tell_client(case: KycCase, client: Client, *, actor: Actor, reason: str) -> None:
    """Repeat the case's state on the client's verification axis."""
    verification_take(
        client,
        status=_STATUS_OF[CaseState(case.state)],
        level=case.level,
        actor=actor,
        reason=reason,
    )


def require_reviewable(case: KycCase, *, actor: Actor) -> None:
    """A reviewer decides on a case that is with staff, that is theirs at this moment, and that is
    not about themselves. Raises `CaseStateForbids`, `OwnCase`, `ClaimedByOther`, `NotClaimed`."""
    if CaseState(case.state) not in WITH_STAFF:
        raise CaseStateForbids(state=case.get_state_display())
    refuse_own(case.client_id, actor)
    if actor.is_system:
        return
    holder = case.claim_holder()
    if holder is None:
        raise NotClaimed
    if holder != actor.user_id:
        raise ClaimedByOther(who=case.claimed_by, since=f"{case.claimed_at:%H:%M} UTC")


def refuse_own(client_id: UUID, actor: Actor) -> None:
    """Nobody decides on their own identity. Raises `OwnCase`."""
    if actor.user_id is None:
        return
    if ClientLogin.objects.filter(client_id=client_id, user_id=actor.user_id).exists():
        raise OwnCase


def require_step(case: KycCase, method: object) -> None:
    """Raises `CaseStateForbids` when the case is not where this can be done."""
    if not can_proceed(method):
        raise CaseStateForbids(state=case.get_state_display())
