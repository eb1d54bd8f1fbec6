"""Answering the questions: what is asked, what is kept, what is refused."""

from __future__ import annotations

import pytest

from apps.clients.errors import (
    OnboardingClosed,
    OnboardingIncomplete,
    OnboardingInvalid,
    StepUnknown,
    TestTaken,
)
from apps.clients.models import AgreementAcceptance
from apps.clients.selectors import onboarding_progress, onboarding_steps
from apps.clients.services import (
    client_reject,
    onboarding_step_save,
    onboarding_submit,
    onboarding_trouble_note,
)
from apps.core.errors import NotAllowed, NotVisible
from apps.core.models import OutboxEvent

from . import world

pytestmark = pytest.mark.usefixtures("house")


def save(client, step, answers=None, *, actor=None, **changes):
    given = world.answers_for(client, step) if answers is None else answers
    return onboarding_step_save(
        client_id=client.id,
        step=step,
        answers={**given, **changes},
        actor=actor or world.acting(client),
    )


def state(client):
    session = world.again(client).onboarding
    return (session.answers, session.completed_steps, session.current_step, session.state)


def test_a_european_is_asked_for_experience_and_another_is_not():
    german = world.confirmed()
    brazilian = world.confirmed(email="joao@x.example", country="BR", phone="")
    assert [step.code for step in onboarding_steps(german.onboarding)] == [
        "personal", "address", "tax", "finances", "appropriateness", "agreements",
    ]  # fmt: skip
    assert [step.code for step in onboarding_steps(brazilian.onboarding)] == [
        "personal", "address", "tax", "finances", "agreements",
    ]  # fmt: skip


def test_answers_are_kept_between_two_visits():
    client = world.answered(until="tax")
    session = client.onboarding
    assert session.completed_steps == ["personal", "address"]
    assert session.answers["city"] == "Bremen"
    assert session.answers["phone"] == "+4915123456789"
    assert onboarding_progress(session)["next"].code == "tax"


@pytest.mark.parametrize(
    ("step", "change", "field", "words"),
    [
        ("personal", {"first_name": ""}, "first_name", "answer this"),
        ("personal", {"first_name": "x" * 101}, "first_name", "100 characters"),
        ("personal", {"first_name": "L\x00ena"}, "first_name", "letters"),
        ("personal", {"date_of_birth": "2008-11-21"}, "date_of_birth", "18 or older"),
        ("personal", {"date_of_birth": "17.5.1990"}, "date_of_birth", "year-month-day"),
        ("personal", {"date_of_birth": "2030-01-01"}, "date_of_birth", "future"),
        ("personal", {"date_of_birth": "1890-01-01"}, "date_of_birth", "check the year"),
        ("personal", {"citizenship": "ZZ"}, "citizenship", "choose a country"),
        ("personal", {"phone": "123"}, "phone", "phone number"),
        ("tax", {"tax_id": "36574261808"}, "tax_id", "tax number"),
        ("tax", {"has_tax_id": "maybe"}, "has_tax_id", "yes or no"),
        ("tax", {"has_tax_id": "no"}, "no_tax_id_reason", "answer this"),
        ("finances", {"employment": "PIRATE"}, "employment", "one of the answers"),
        ("finances", {"source_of_funds": ["SALARY", "LOOT"]}, "source_of_funds", "one of"),
        ("finances", {"source_of_funds": []}, "source_of_funds", "answer this"),
        ("finances", {"occupation": ""}, "occupation", "answer this"),
        ("finances", {"pep": "yes"}, "pep_office", "answer this"),
        ("appropriateness", {"q_gap": ""}, "q_gap", "answer this"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_reason_and_nothing_is_kept(step, change, field, words):
    client = world.answered(until=step)
    before = state(client)
    with pytest.raises(OnboardingInvalid) as refused:
        save(client, step, **change)
    assert list(refused.value.values["errors"]) == [field]
    assert words in refused.value.values["errors"][field]
    assert state(client) == before


def test_somebody_is_of_age_on_the_eighteenth_birthday():
    client = world.confirmed()
    save(client, "personal", date_of_birth="2008-11-20")
    assert world.again(client).onboarding.completed_steps == ["personal"]


def test_what_was_not_asked_is_not_stored():
    client = world.answered(until="finances")
    save(client, "finances", pep_office="Emperor", invented="x")
    answers = world.again(client).onboarding.answers
    assert "pep_office" not in answers
    assert "invented" not in answers


def test_a_step_cannot_be_taken_before_the_ones_in_front_of_it():
    client = world.confirmed()
    before = state(client)
    for step in ("address", "agreements", "nonsense"):
        with pytest.raises(StepUnknown):
            save(client, step, {})
    assert state(client) == before


def test_who_fails_the_test_sees_a_warning_and_cannot_take_it_again():
    client = world.answered(until="appropriateness")
    save(client, "appropriateness", q_leverage="100", q_closeout="LOAN", q_gap="STOP")
    session = world.again(client).onboarding
    assert session.answers["appropriateness_score"] == 2
    assert session.current_step == "warning"

    before = state(client)
    with pytest.raises(TestTaken):
        save(client, "appropriateness")
    with pytest.raises(OnboardingInvalid):
        save(client, "warning", {"warning_accepted": ""})
    assert state(client) == before

    save(client, "warning")
    save(client, "agreements")
    onboarding_submit(client_id=client.id, actor=world.acting(client))
    client = world.again(client)
    assert (client.appropriateness, client.appropriateness_score) == ("WARNED", 2)


def test_an_earlier_answer_that_asks_for_more_reopens_its_step():
    client = world.answered(until="agreements")
    save(client, "tax", has_tax_id="no", no_tax_id_reason="A")
    session = world.again(client).onboarding
    assert "tax_id" not in session.answers
    assert session.current_step == "agreements"


def test_agreements_are_accepted_in_the_version_that_was_shown():
    client = world.answered(until="agreements")
    before = state(client)
    shown = world.answers_for(client, "agreements")
    with pytest.raises(OnboardingInvalid) as refused:
        save(client, "agreements", {**shown, "privacy": ""})
    assert list(refused.value.values["errors"]) == ["privacy"]
    assert AgreementAcceptance.objects.count() == 0
    assert state(client) == before

    save(client, "agreements")
    proofs = AgreementAcceptance.objects.filter(client=client)
    assert proofs.count() == 4
    assert {proof.body_sha256 for proof in proofs} == {
        proof.agreement.body_sha256 for proof in proofs
    }
    assert {proof.accepted_at for proof in proofs} == {world.AT}


def test_an_open_step_stops_the_submission():
    client = world.answered(until="agreements")
    before = state(client)
    with pytest.raises(OnboardingIncomplete):
        onboarding_submit(client_id=client.id, actor=world.acting(client))
    assert state(client) == before


def test_submitting_twice_is_submitting_once():
    client = world.answered()
    onboarding_submit(client_id=client.id, actor=world.acting(client))
    onboarding_submit(client_id=client.id, actor=world.acting(client))
    client = world.again(client)
    assert client.onboarding.state == "SUBMITTED"
    assert client.person.date_of_birth.isoformat() == "1990-05-17"
    assert client.person.tax_id == "36574261809"
    assert client.appropriateness == "PASSED"
    assert OutboxEvent.objects.filter(name="clients.OnboardingSubmitted").count() == 1


def test_a_submitted_application_takes_no_more_answers():
    client = world.applicant()
    before = state(client)
    with pytest.raises(OnboardingClosed):
        save(client, "personal")
    assert state(client) == before


def test_a_rejected_applicant_answers_no_more():
    client = world.answered(until="tax")
    client_reject(client_id=client.id, actor=world.staff("compliance"), reason="sanctions")
    before = state(client)
    with pytest.raises(OnboardingClosed):
        save(client, "tax")
    assert state(client) == before


def test_nobody_answers_for_another():
    ana = world.answered(until="tax")
    omar = world.confirmed(email="omar@x.example", country="BR", phone="")
    before = state(ana)
    with pytest.raises(NotVisible):
        save(ana, "tax", actor=world.acting(omar))
    with pytest.raises(NotAllowed):
        save(ana, "tax", actor=world.staff("support"))
    with pytest.raises(NotVisible):
        onboarding_submit(client_id=ana.id, actor=world.acting(omar))
    assert state(ana) == before


def test_staff_see_where_somebody_is_stuck():
    client = world.answered(until="tax")
    for _try in range(2):
        onboarding_trouble_note(
            client_id=client.id, step="tax", problem="tax_id", actor=world.acting(client)
        )
    session = world.again(client).onboarding
    assert (session.current_step, session.last_problem, session.failed_attempts) == (
        "tax", "tax: tax_id", 2,
    )  # fmt: skip
    save(client, "tax")
    session = world.again(client).onboarding
    assert (session.last_problem, session.failed_attempts) == ("", 0)


def test_answers_stay_out_of_the_audit_trail():
    from apps.core.models import AuditRecord

    world.applicant()
    told = str(list(AuditRecord.objects.values("before", "after", "reason")))
    for secret in ("Lindenweg", "36574261809", "1990-05-17", "+4915123456789", "lena@client"):
        assert secret not in told
