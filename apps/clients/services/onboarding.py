"""Answering the questions, one step at a time; nothing is lost between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.clients.enums import Appropriateness, Lifecycle, OnboardingState
from apps.clients.errors import (
    AgreementMissing,
    OnboardingClosed,
    OnboardingIncomplete,
    OnboardingInvalid,
    StepUnknown,
    TestTaken,
)
from apps.clients.events import OnboardingSubmitted
from apps.clients.locks import client_locked, session_locked
from apps.clients.models import Client, OnboardingSession
from apps.clients.onboarding.answers import MUST_ACCEPT, Refusal, Verdict, check_step, score
from apps.clients.onboarding.schema import Schema, Step
from apps.clients.permissions import ONBOARD_OWN
from apps.clients.selectors import (
    agreements_of,
    onboarding_schema_for,
    onboarding_schema_of,
    onboarding_schemas,
    onboarding_steps,
)
from apps.clients.services.agreements import record_acceptance
from apps.clients.services.duplicates import flag_duplicates
from apps.clients.services.lifecycle import activate_when_ready
from apps.clients.wording import refusal_text
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.rules.points import CLIENT_ONBOARDING
from apps.rules.services import decide


def session_begin(client: Client, *, actor: Actor) -> OnboardingSession:
    """Start the application of a locked client on the newest questions for their company and
    country, or on the form that a rule names."""
    decision = decide(
        CLIENT_ONBOARDING,
        {"country": client.country, "category": client.category},
        actor=actor,
        subject=client,
        entity=client.entity.code,
    )
    schema = onboarding_schema_for(
        entity=client.entity.code,
        country=client.country,
        code=_published(decision.obligations.get("schema", ""), client.entity.code),
    )
    session = OnboardingSession(
        client=client,
        schema_code=schema.code,
        schema_version=schema.version,
        current_step=schema.steps_for({}, client.country)[0].code,
        step_entered_at=clock.now(),
    )
    session.save_as(actor, "e-mail confirmed", action="onboarding.begin")
    return session


@command
def onboarding_step_save(
    *, client_id: UUID, step: str, answers: Mapping[str, Any], actor: Actor
) -> OnboardingSession:
    """Keep the answers of one step and move to the next that is open.

    All or nothing: one wrong answer, and none of the step is kept. An answer that makes an earlier
    one incomplete reopens that step. Raises `NotVisible`, `NotAllowed`, `OnboardingClosed`,
    `StepUnknown`, `OnboardingInvalid` with `values["errors"]`, `TestTaken`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(ONBOARD_OWN, client)
    session = _open_session(client)
    schema = onboarding_schema_of(session)
    current = _step_in_reach(session, client, step)
    if current.kind == "agreements":
        _accept_agreements(client, current, answers, actor=actor)
    else:
        _keep_answers(session, client, current, answers)
    _mark_done(session, schema, client, current.code)
    session.last_problem = ""
    session.failed_attempts = 0
    session.save_as(actor, f"step {step}", action="onboarding.step")
    return session


@command
def onboarding_trouble_note(*, client_id: UUID, step: str, problem: str, actor: Actor) -> None:
    """Remember that answers of a step were refused, so that staff see who needs a hand."""
    client = client_locked(client_id, visible_to=actor)
    actor.require(ONBOARD_OWN, client)
    session = _open_session(client)
    session.last_problem = f"{step}: {problem}"[:300]
    session.failed_attempts += 1
    session.save_as(actor, "answers refused", action="onboarding.trouble")


@command
def onboarding_submit(*, client_id: UUID, actor: Actor) -> OnboardingSession:
    """Hand the application in; what was declared becomes the person's record.

    A second call finds it done and changes nothing. Raises `NotVisible`, `NotAllowed`,
    `OnboardingIncomplete`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(ONBOARD_OWN, client)
    session = session_locked(client.id)
    if session.state == OnboardingState.SUBMITTED:
        return session
    _open_session(client)
    open_steps = [
        item.title for item in onboarding_steps(session) if item.code not in session.completed_steps
    ]
    if open_steps:
        raise OnboardingIncomplete(steps=", ".join(open_steps))
    schema = onboarding_schema_of(session)
    _person_take(client, schema, session, actor=actor)
    _client_take(client, session, actor=actor)
    session.submit(by=actor, reason="submitted")
    session.save_as(actor, "submitted", action="onboarding.submit")
    flag_duplicates(client, actor=actor)
    emit(OnboardingSubmitted(client_id=client.id, session_id=session.id))
    activate_when_ready(client, actor=actor, reason="onboarding submitted")
    return session


def _open_session(client: Client) -> OnboardingSession:
    session = session_locked(client.id)
    if session.state != OnboardingState.OPEN or client.lifecycle != Lifecycle.ONBOARDING:
        raise OnboardingClosed
    return session


def _step_in_reach(session: OnboardingSession, client: Client, code: str) -> Step:
    """A step may be saved when every step before it is done."""
    for step in onboarding_steps(session):
        if step.code == code:
            if step.kind == "test" and code in session.completed_steps:
                raise TestTaken
            return step
        if step.code not in session.completed_steps:
            break
    raise StepUnknown(step=code)


def _keep_answers(
    session: OnboardingSession, client: Client, step: Step, given: Mapping[str, Any]
) -> None:
    verdict = _judge(session, client, step, given)
    if not verdict.ok:
        raise OnboardingInvalid(
            errors={name: str(refusal_text(refusal)) for name, refusal in verdict.errors.items()}
        )
    kept = {name: value for name, value in session.answers.items() if name not in _names(step)}
    kept |= verdict.cleaned
    if step.kind == "test":
        result = score(step, verdict.cleaned)
        kept[step.result_key] = "PASSED" if result.passed else "FAILED"
        kept[f"{step.code}_score"] = result.score
    session.answers = kept


def _judge(
    session: OnboardingSession, client: Client, step: Step, given: Mapping[str, Any]
) -> Verdict:
    return check_step(
        step,
        given,
        known=session.answers,
        country=client.country,
        today=clock.now().date(),
    )


def _mark_done(session: OnboardingSession, schema: Schema, client: Client, code: str) -> None:
    asked = schema.steps_for(session.answers, client.country)
    done = {*session.completed_steps, code}
    session.completed_steps = [
        step.code
        for step in asked
        if step.code in done
        and (step.kind == "agreements" or _judge(session, client, step, session.answers).ok)
    ]
    remaining = [step.code for step in asked if step.code not in session.completed_steps]
    position = remaining[0] if remaining else asked[-1].code
    if position != session.current_step:
        session.current_step = position
        session.step_entered_at = clock.now()


def _accept_agreements(
    client: Client, step: Step, given: Mapping[str, Any], *, actor: Actor
) -> None:
    """`given` maps a document's code to the id of the version that was shown."""
    in_force = {item.code: item for item in agreements_of(client)}
    missing = [code for code in step.agreements if code not in in_force]
    if missing:
        raise AgreementMissing(agreements=", ".join(missing))
    unaccepted = {
        code: str(refusal_text(Refusal(MUST_ACCEPT)))
        for code in step.agreements
        if str(given.get(code, "")) != str(in_force[code].id)
    }
    if unaccepted:
        raise OnboardingInvalid(errors=unaccepted)
    for code in step.agreements:
        record_acceptance(client, in_force[code], actor=actor)


def _person_take(
    client: Client, schema: Schema, session: OnboardingSession, *, actor: Actor
) -> None:
    person = client.person
    for step in schema.steps_for(session.answers, client.country):
        for item in step.visible_fields(session.answers, client.country):
            if item.person:
                setattr(person, item.person, session.answers.get(item.name, "") or "")
    person.full_clean(exclude=["email"])
    person.save_as(actor, "declared at onboarding", action="person.declare")


def _client_take(client: Client, session: OnboardingSession, *, actor: Actor) -> None:
    answers = session.answers
    result = answers.get("appropriateness_result")
    client.appropriateness = {
        "PASSED": Appropriateness.PASSED,
        "FAILED": Appropriateness.WARNED,
    }.get(result, Appropriateness.NOT_REQUIRED)
    client.appropriateness_score = answers.get("appropriateness_score")
    client.pep_declared = answers.get("pep") == "yes"
    client.us_person = answers.get("us_person") == "yes"
    client.save_as(actor, "declared at onboarding", action="client.declare")


def _names(step: Step) -> set[str]:
    return {item.name for item in step.fields}


def _published(code: str, entity: str) -> str:
    """A rule may name a form that nobody has written for the company; the default serves then."""
    known = {schema.code for schema in onboarding_schemas() if schema.entity == entity}
    return code if code in known else ""
