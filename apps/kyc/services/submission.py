"""Handing the case in."""

from __future__ import annotations

from uuid import UUID

from django_fsm import can_proceed

from apps.clients.enums import OnboardingState
from apps.clients.locks import client_locked
from apps.clients.models import Client, OnboardingSession
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.kyc.checks import run_checks
from apps.kyc.enums import OPEN_FOR_UPLOAD, WITH_STAFF, CaseState, DocumentState
from apps.kyc.errors import DocumentsMissing, OnboardingFirst
from apps.kyc.events import KycSubmitted
from apps.kyc.models import KycCase
from apps.kyc.permissions import UPLOAD_OWN
from apps.kyc.selectors import missing_evidence
from apps.kyc.services.cases import ask_rules, case_for, require_step, tell_client


@command
def case_open(*, client_id: UUID, actor: Actor) -> KycCase:
    """The client's case, opened if there is none yet; an open one learns what the rules ask for
    now that the answers are known. Raises `NotVisible`."""
    client = client_locked(client_id, visible_to=actor)
    case = case_for(client, actor=actor)
    if CaseState(case.state) in OPEN_FOR_UPLOAD and ask_rules(case, client):
        case.save_as(actor, "answers known", action="kyc.evidence")
    return case


@command
def case_submit(*, client_id: UUID, actor: Actor) -> KycCase:
    """Hand the documents in: they are checked by machine at once and then wait for a person.

    A second call finds the case with us and changes nothing. Raises `NotVisible`, `NotAllowed`,
    `OnboardingFirst`, `DocumentsMissing`, `CaseStateForbids`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(UPLOAD_OWN, client)
    case = case_for(client, actor=actor)
    if CaseState(case.state) in WITH_STAFF:
        return case
    require_step(case, case.submit)
    answered = OnboardingSession.objects.filter(client=client, state=OnboardingState.SUBMITTED)
    if not answered.exists():
        raise OnboardingFirst
    ask_rules(case, client)
    missing = missing_evidence(case)
    if missing:
        raise DocumentsMissing(documents=", ".join(str(evidence.label) for evidence in missing))
    _take_documents(case, actor=actor)
    case.submit(by=actor, reason="submitted")
    case.save_as(actor, "submitted", action="kyc.submit")
    _check(case, client)
    tell_client(case, client, actor=actor, reason="submitted")
    emit(KycSubmitted(client_id=client.id, case_id=case.id))
    return case


@command
def case_withdraw(*, client_id: UUID, actor: Actor, reason: str) -> KycCase | None:
    """The application has ended, so the case ends with it; None when it is decided or with us."""
    client = client_locked(client_id, visible_to=actor)
    if not KycCase.objects.filter(client=client).exists():
        return None
    case = case_for(client, actor=actor)
    if not can_proceed(case.withdraw):
        return None
    case.withdraw(by=actor, reason=reason)
    case.save_as(actor, reason, action="kyc.withdraw")
    return case


def _take_documents(case: KycCase, *, actor: Actor) -> None:
    for document in case.documents.filter(state=DocumentState.UPLOADED).order_by("pk"):
        document.start_processing(by=actor, reason="submitted")
        document.save_as(actor, "submitted", action="document.submit")


def _check(case: KycCase, client: Client) -> None:
    """The machine's part, in the machine's name."""
    machine = Actor.system("kyc-checks")
    case.start_checks(by=machine, reason="submitted")
    case.save_as(machine, "submitted", action="kyc.start_checks")
    case.finish_checks(run_checks(case, client), by=machine, reason="checked")
    case.save_as(machine, "checked", action="kyc.checked")
