"""From the first document to the decision, and every way it may not go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import ScopeLevel
from apps.core.errors import DomainError, InvalidInput, NotAllowed, NotVisible
from apps.core.models import AuditRecord, OutboxEvent
from apps.kyc.enums import CaseState
from apps.kyc.errors import (
    CaseClosedForUpload,
    CaseStateForbids,
    ClaimedByOther,
    CommentRequired,
    DocumentsMissing,
    DocumentStateForbids,
    DocumentsUndecided,
    NotClaimed,
    NothingRejected,
    OnboardingFirst,
    OwnCase,
)
from apps.kyc.models import Document, KycCase
from apps.kyc.selectors import next_in_queue, review_queue
from apps.kyc.services import (
    case_approve,
    case_claim,
    case_escalate,
    case_reject,
    case_release,
    case_request_information,
    case_request_resubmission,
    case_submit,
    case_withdraw,
    document_accept,
    document_reject,
    documents_age,
)
from tests.clients import world

from . import story

pytestmark = pytest.mark.usefixtures("house")


def snapshot():
    return (
        list(KycCase.objects.order_by("pk").values()),
        list(Document.objects.order_by("pk").values()),
        list(Client.objects.order_by("pk").values()),
        OutboxEvent.objects.count(),
        AuditRecord.objects.count(),
    )


def names():
    return list(
        OutboxEvent.objects.filter(name__startswith="kyc.")
        .order_by("seq")
        .values_list("name", flat=True)
    )


def test_passport_and_bill_accepted_make_an_active_client_of_level_two():
    case = story.claimed()
    story.accept_all(case)
    case_approve(case_id=case.id, actor=world.staff("compliance"), reason="all fits")

    case = world.again(case)
    client = case.client
    assert (case.state, case.level, case.claimed_by_id) == ("APPROVED", 2, None)
    assert (case.deposit_limit_minor, case.decision_id is not None) == (5_000_000, True)
    assert (client.lifecycle, client.kyc_status, client.kyc_level) == ("ACTIVE", "APPROVED", 2)
    assert names() == [
        "kyc.DocumentUploaded",
        "kyc.DocumentUploaded",
        "kyc.KycSubmitted",
        "kyc.KycApproved",
    ]
    assert OutboxEvent.objects.filter(name="clients.ClientActivated").count() == 1


def test_handing_in_twice_is_handing_in_once():
    case = story.submitted()
    client = case.client
    case_submit(client_id=client.id, actor=world.acting(client))
    case = world.again(case)
    assert (case.state, case.round) == ("MANUAL_REVIEW", 1)
    assert names().count("kyc.KycSubmitted") == 1
    assert case.review_due_at == world.AT + timedelta(hours=24)
    assert world.again(client).kyc_status == "MANUAL_REVIEW"


def test_the_case_is_not_taken_before_questions_and_documents_are_complete():
    client = world.answered(until="agreements")
    story.papers(client)
    before = snapshot()
    with pytest.raises(OnboardingFirst):
        case_submit(client_id=client.id, actor=world.acting(client))
    assert snapshot() == before

    other = world.applicant(email="two@x.example", phone="")
    story.send(other, "ID_CARD", side="FRONT", expires_on=story.LATER)
    story.send(other, "UTILITY_BILL")
    before = snapshot()
    with pytest.raises(DocumentsMissing) as refused:
        case_submit(client_id=other.id, actor=world.acting(other))
    assert str(refused.value) == "Still needed: Identity."
    assert snapshot() == before
    story.send(other, "ID_CARD", side="BACK", content=world.picture(colour="red"))
    assert case_submit(client_id=other.id, actor=world.acting(other)).state == "MANUAL_REVIEW"


def test_a_rejected_document_goes_back_with_its_reason_and_comes_again():
    case = story.claimed()
    client = case.client
    compliance = world.staff("compliance")
    passport = Document.objects.get(case=case, kind="PASSPORT")
    bill = Document.objects.get(case=case, kind="UTILITY_BILL")
    document_accept(document_id=bill.id, actor=compliance)
    document_reject(
        document_id=passport.id,
        code="UNREADABLE",
        client_comment="The flash hides the name.",
        internal_comment="second try by the same phone",
        actor=compliance,
    )
    case_request_resubmission(case_id=case.id, actor=compliance, reason="passport unreadable")
    assert world.again(case).state == "RESUBMISSION_REQUESTED"
    assert world.again(client).kyc_status == "RESUBMISSION_REQUESTED"

    with pytest.raises(DocumentsMissing):
        case_submit(client_id=client.id, actor=world.acting(client))
    story.send(client, "PASSPORT", content=world.picture(colour="gold"), expires_on=story.LATER)
    case_submit(client_id=client.id, actor=world.acting(client))
    assert (world.again(passport).state, world.again(case).round) == ("SUPERSEDED", 2)
    case_claim(case_id=case.id, actor=compliance)
    story.accept_all(case)
    case_approve(case_id=case.id, actor=compliance, reason="readable now")
    assert world.again(client).lifecycle == "ACTIVE"


def test_a_forgery_is_not_sent_again():
    case = story.claimed()
    compliance = world.staff("compliance")
    passport = Document.objects.get(case=case, kind="PASSPORT")
    document_reject(document_id=passport.id, code="SUSPECTED_FORGERY", actor=compliance)
    story.accept_all(case)
    case_request_resubmission(case_id=case.id, actor=compliance, reason="another document")
    before = snapshot()
    with pytest.raises(DocumentStateForbids):
        story.send(case.client, "PASSPORT", content=world.picture(colour="gold"))
    assert snapshot() == before


def test_a_final_rejection_ends_the_application_and_stays_secret_in_its_reason(
    deliver_outbox, django_capture_on_commit_callbacks, mailoutbox
):
    case = story.claimed()
    case_reject(
        case_id=case.id,
        code="SANCTIONS",
        actor=world.staff("compliance"),
        reason="list match",
        internal_comment="OFAC entry 12345",
    )
    client = world.again(case).client
    assert (client.lifecycle, client.kyc_status) == ("REJECTED", "REJECTED")
    with django_capture_on_commit_callbacks(execute=True):
        deliver_outbox()
    mail = next(mail for mail in mailoutbox if mail.subject == "About your application")
    assert "OFAC" not in mail.body
    assert "anction" not in mail.body
    assert "OFAC" not in str(list(AuditRecord.objects.values()))


def test_an_active_client_who_fails_a_review_may_only_close_and_withdraw():
    case = story.claimed()
    Client.objects.filter(pk=case.client_id).update(lifecycle="ACTIVE")
    case_reject(
        case_id=case.id, code="FORGERY", actor=world.staff("compliance"), reason="altered passport"
    )
    assert client_restrictions(case.client_id) == {"no_deposit", "close_only"}
    assert world.again(case).client.lifecycle == "ACTIVE"


COMMANDS = {
    "claim": lambda case, actor: case_claim(case_id=case.id, actor=actor),
    "release": lambda case, actor: case_release(case_id=case.id, actor=actor),
    "approve": lambda case, actor: case_approve(case_id=case.id, actor=actor, reason="r"),
    "escalate": lambda case, actor: case_escalate(case_id=case.id, actor=actor, reason="r"),
    "information": lambda case, actor: case_request_information(
        case_id=case.id, client_comment="please explain", actor=actor, reason="r"
    ),
    "resubmission": lambda case, actor: case_request_resubmission(
        case_id=case.id, actor=actor, reason="r"
    ),
    "reject": lambda case, actor: case_reject(
        case_id=case.id, code="FORGERY", actor=actor, reason="r"
    ),
}
S = CaseState
REVIEW = {S.MANUAL_REVIEW, S.ESCALATED}
ALLOWED = {
    "claim": REVIEW,
    "release": REVIEW,
    "approve": REVIEW,
    "escalate": {S.MANUAL_REVIEW},
    "information": REVIEW,
    "resubmission": REVIEW,
    "reject": REVIEW,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_reviewers_command_in_each_state(name):
    case = story.claimed()
    compliance = world.staff("compliance")
    documents = list(Document.objects.filter(case=case).values("pk", "state", "reject_reason"))
    original = KycCase.objects.filter(pk=case.pk).values().get()
    client = Client.objects.filter(pk=case.client_id).values().get()
    for state in CaseState:
        KycCase.objects.filter(pk=case.pk).update(**{**original, "state": state})
        Client.objects.filter(pk=case.client_id).update(**client)
        for document in documents:
            Document.objects.filter(pk=document["pk"]).update(state="ACCEPTED")
        if name == "resubmission":
            Document.objects.filter(pk=documents[0]["pk"]).update(state="REJECTED")
        before = snapshot()
        if state in ALLOWED[name]:
            COMMANDS[name](case, compliance)
            assert AuditRecord.objects.count() > before[-1]
        else:
            with pytest.raises(CaseStateForbids):
                COMMANDS[name](case, compliance)
            assert snapshot() == before


@pytest.mark.parametrize("name", COMMANDS)
def test_who_may_not_decide(name):
    case = story.claimed()
    client = case.client
    reviewer = world.user_of(client)
    reviewer.groups.add(*world.staff_user("compliance").groups.all())
    reviewer.is_staff, reviewer.scope_level = True, ScopeLevel.ALL
    reviewer.save()
    from apps.users.selectors import actor_for

    elsewhere = world.staff(
        "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="int@house.example"
    )
    second = world.staff("mlro")
    before = snapshot()
    for actor, error in [
        (world.staff("sales"), NotAllowed),
        (world.staff("auditor"), NotAllowed),
        (elsewhere, NotVisible),
        (world.anonymous(), NotVisible),
        (actor_for(reviewer), OwnCase),
        (second, ClaimedByOther),
    ]:
        with pytest.raises(error):
            COMMANDS[name](case, actor)
    assert snapshot() == before


def test_a_decision_needs_a_claim_and_a_claim_lapses():
    case = story.submitted()
    first, second = world.staff("compliance"), world.staff("mlro")
    before = snapshot()
    with pytest.raises(NotClaimed):
        case_escalate(case_id=case.id, actor=first, reason="r")
    assert snapshot() == before
    case_claim(case_id=case.id, actor=first)
    with clock.frozen(world.AT + timedelta(minutes=29)), pytest.raises(ClaimedByOther):
        case_claim(case_id=case.id, actor=second)
    with clock.frozen(world.AT + timedelta(minutes=30)):
        case_claim(case_id=case.id, actor=second)
        with pytest.raises(ClaimedByOther):
            case_escalate(case_id=case.id, actor=first, reason="r")


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        (
            lambda case, who: case_approve(case_id=case.id, actor=who, reason="r"),
            DocumentsUndecided,
        ),
        (
            lambda case, who: case_request_resubmission(case_id=case.id, actor=who, reason="r"),
            DocumentsUndecided,
        ),
        (
            lambda case, who: case_request_information(
                case_id=case.id, client_comment=" ", actor=who, reason="r"
            ),
            CommentRequired,
        ),
        (
            lambda case, who: case_reject(case_id=case.id, code="UGLY", actor=who, reason="r"),
            InvalidInput,
        ),
    ],
)
def test_an_incomplete_decision_changes_nothing(attempt, error):
    case = story.claimed()
    before = snapshot()
    with pytest.raises(error):
        attempt(case, world.staff("compliance"))
    assert snapshot() == before


def test_nothing_rejected_is_nothing_to_send_again():
    case = story.claimed()
    story.accept_all(case)
    before = snapshot()
    with pytest.raises(NothingRejected):
        case_request_resubmission(case_id=case.id, actor=world.staff("compliance"), reason="r")
    assert snapshot() == before


def test_a_declared_public_office_asks_for_the_source_of_funds():
    client = world.applicant(
        changes={"finances": {"pep": "yes", "pep_office": "Member of parliament"}}
    )
    story.papers(client)
    before = snapshot()
    with pytest.raises(DocumentsMissing) as refused:
        case_submit(client_id=client.id, actor=world.acting(client))
    assert str(refused.value) == "Still needed: Source of funds."
    assert snapshot() == before
    story.send(client, "PAYSLIP")
    case = case_submit(client_id=client.id, actor=world.acting(client))
    assert (case.risk["rating"], case.client.pep_declared) == ("HIGH", True)
    compliance = world.staff("compliance")
    case_claim(case_id=case.id, actor=compliance)
    payslip = Document.objects.get(case=case, kind="PAYSLIP")
    document_reject(document_id=payslip.id, code="TOO_OLD", actor=compliance)
    story.accept_all(case)
    before = snapshot()
    with pytest.raises(DomainError) as refused:
        case_approve(case_id=case.id, actor=compliance, reason="r")
    assert refused.value.code == "SOURCE_OF_FUNDS_NEEDED"
    assert snapshot() == before


def test_documents_are_with_us_and_take_no_uploads():
    case = story.submitted()
    before = snapshot()
    with pytest.raises(CaseClosedForUpload):
        story.send(case.client, "PASSPORT", content=world.picture(colour="gold"))
    assert snapshot() == before


def test_the_same_paper_on_two_clients_is_seen():
    first = story.submitted()
    scan = world.picture(colour="teal")
    second = world.applicant(email="two@x.example", phone="")
    story.send(second, "UTILITY_BILL", issued_on=story.LAST_MONTH)
    passport = story.send(
        second, "PASSPORT", content=scan, country="DE", number="c01x00t47", expires_on=story.LATER
    )
    case = case_submit(client_id=second.id, actor=world.acting(second))
    failed = {
        (check["code"], check["values"]) for check in case.checks if check["outcome"] == "FAIL"
    }
    assert failed == {("SAME_NUMBER", first.client.number)}
    assert passport.number == "C01X00T47"


def test_the_queue_shows_what_waits_and_what_nobody_holds():
    first = story.submitted()
    with clock.frozen(world.AT + timedelta(minutes=5)):
        second = story.submitted(email="two@x.example", phone="")
    compliance, mlro = world.staff("compliance"), world.staff("mlro")
    assert [case.id for case in review_queue(actor=compliance)] == [first.id, second.id]
    case_claim(case_id=first.id, actor=mlro)
    assert next_in_queue(actor=compliance).id == second.id
    assert next_in_queue(actor=mlro).id == first.id
    assert review_queue(actor=world.anonymous()) == []


def test_a_passport_nears_its_end_and_passes_it():
    case = story.claimed()
    story.accept_all(case)
    case_approve(case_id=case.id, actor=world.staff("compliance"), reason="r")
    passport = Document.objects.get(case=case, kind="PASSPORT")
    near = world.AT.replace(year=2031, month=5, day=1)
    with clock.frozen(near):
        assert documents_age(actor=world.SYSTEM) == 1
        assert documents_age(actor=world.SYSTEM) == 0
    assert (world.again(passport).state, world.again(case).state) == ("EXPIRING", "APPROVED")
    with clock.frozen(near + timedelta(days=60)):
        assert documents_age(actor=world.SYSTEM) == 1
    assert (world.again(passport).state, world.again(case).state) == ("EXPIRED", "EXPIRED")
    assert world.again(case).client.kyc_status == "EXPIRED"


def test_a_case_ends_with_the_application(deliver_outbox):
    from apps.clients.services import client_reject

    client = world.applicant()
    story.papers(client)
    deliver_outbox()
    client_reject(client_id=client.id, actor=world.staff("compliance"), reason="withdrew")
    deliver_outbox()
    assert KycCase.objects.get(client=client).state == "WITHDRAWN"
    assert case_withdraw(client_id=client.id, actor=world.SYSTEM, reason="again") is None
