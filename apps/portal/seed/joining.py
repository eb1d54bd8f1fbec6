"""Scenes of joining: registration, confirmation, the questions, documents, the reviewer's decision, the account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import phonenumbers
from django.contrib.auth import get_user_model

from apps.accounts.services import account_open
from apps.clients.models import Client, EmailConfirmation
from apps.clients.selectors import agreements_missing
from apps.clients.services import (
    client_register,
    email_confirm,
    onboarding_step_save,
    onboarding_submit,
)
from apps.clients.tokens import confirmation_token
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.kyc.models import Document, KycCase
from apps.kyc.services import (
    case_approve,
    case_claim,
    case_escalate,
    case_reject,
    case_request_resubmission,
    case_submit,
    document_accept,
    document_reject,
    document_upload,
)
from apps.portal.seed import money, papers
from apps.portal.seed.cast import PASSWORD, Ending
from apps.portal.seed.stage import Role, Stage
from apps.users.selectors import actor_for

VISITOR = Actor(ActorKind.CLIENT, "anonymous", "anonymous")
STREETS = (
    "Linden Street",
    "Harbour Road",
    "Station Square",
    "Mill Lane",
    "Garden Avenue",
    "Hill Street",
)
CITIES = {
    "DE": "Hamburg", "ES": "Valencia", "IT": "Torino", "FR": "Lyon", "PL": "Gdansk", "NL": "Utrecht",
    "CY": "Limassol", "PT": "Porto", "SE": "Malmo", "AT": "Graz", "CZ": "Brno", "GR": "Patras",
    "IE": "Cork", "AE": "Dubai", "ZA": "Durban", "IN": "Pune", "NG": "Abuja", "MX": "Puebla",
    "MY": "Penang", "VN": "Da Nang", "CL": "Valparaiso", "KW": "Kuwait City", "PK": "Lahore",
    "BR": "Curitiba", "GH": "Accra", "SN": "Dakar", "JO": "Amman",
}  # fmt: skip
REGIONS = {"IT", "ES", "AE", "BR", "IN", "MX", "MY"}


def begin(stage: Stage, role: Role) -> None:
    """The first scene of everybody; what follows depends on how far they come."""
    stage.timeline.at(role.registered_at, lambda: _register(stage, role))


def _register(stage: Stage, role: Role) -> None:
    player = role.player
    client = client_register(
        email=player.address,
        password=PASSWORD,
        first_name=player.first_name,
        last_name=player.last_name,
        country=player.country,
        partner_code=player.partner,
        actor=VISITOR,
    )
    assert client is not None
    role.client_id = client.pk
    role.currency = "EUR" if player.is_eu else "USD"
    if player.ending is Ending.UNCONFIRMED:
        return
    minutes = role.rng.uniform(2, 25)
    stage.timeline.at(clock.now() + timedelta(minutes=minutes), lambda: _confirm(stage, role))


def _confirm(stage: Stage, role: Role) -> None:
    confirmation = EmailConfirmation.objects.get(client_id=role.client, used_at=None)
    email_confirm(token=confirmation_token(confirmation.pk), actor=VISITOR)
    user = get_user_model()._default_manager.get(email=role.player.address)
    role.actor = actor_for(user)
    moment = clock.now() + timedelta(minutes=role.rng.uniform(3, 40))
    stage.timeline.at(moment, lambda: _answer(stage, role))


def _answer(stage: Stage, role: Role) -> None:
    answers = application_of(role)
    for step, given in answers.items():
        if role.player.ending is Ending.HALFWAY and step == "finances":
            return
        onboarding_step_save(client_id=role.client, step=step, answers=given, actor=role.who)
    client = Client.objects.get(pk=role.client)
    if client.onboarding.answers.get("appropriateness_result") == "FAILED":
        onboarding_step_save(
            client_id=role.client,
            step="warning",
            answers={"warning_accepted": "yes"},
            actor=role.who,
        )
    accepted = {item.code: str(item.pk) for item in agreements_missing(client)}
    onboarding_step_save(client_id=role.client, step="agreements", answers=accepted, actor=role.who)
    onboarding_submit(client_id=role.client, actor=role.who)
    moment = clock.now() + timedelta(hours=role.rng.uniform(0.2, 9))
    stage.timeline.at(moment, lambda: _send_documents(stage, role, blurred=_blurred(role)))


def application_of(role: Role) -> dict[str, dict[str, object]]:
    """Answers to every step that the client's form has, in its order."""
    player, rng = role.player, role.rng
    steps: dict[str, dict[str, object]] = {
        "personal": {
            "first_name": player.first_name,
            "last_name": player.last_name,
            "date_of_birth": born(role).isoformat(),
            "citizenship": player.country,
            "phone": phone(role),
        },
        "address": {
            "address_line1": street(role),
            "city": CITIES[player.country],
            "postal_code": f"{rng.randint(10000, 98999)}",
        },
        "tax": {"tax_residence": player.country, "us_person": "no"},
        "finances": {
            "employment": "EMPLOYED",
            "occupation": rng.choice(("Engineer", "Teacher", "Nurse", "Architect", "Accountant")),
            "annual_income": rng.choice(("25-50K", "50-100K", "100-250K")),
            "net_worth": rng.choice(("25-100K", "100-500K")),
            "source_of_funds": ["SALARY", "SAVINGS"],
            "planned_deposits": "10-50K",
            "pep": "no",
        },
    }
    if player.country in REGIONS:
        steps["address"]["region"] = CITIES[player.country]
    if player.is_eu:
        steps["tax"] |= {"has_tax_id": "no", "no_tax_id_reason": "B"}
        knows = rng.random() > 0.12
        steps["appropriateness"] = {
            "cfd_experience": "OFTEN" if knows else "NEVER",
            "profession": "STUDIED" if knows else "NO",
            "q_leverage": "1000" if knows else "UNKNOWN",
            "q_closeout": "CLOSED" if knows else "NOTHING",
            "q_gap": "NEXT" if knows else "UNKNOWN",
        }
    return steps


def phone(role: Role) -> str:
    """A number of the kind that the country's mobile phones have."""
    example = phonenumbers.example_number_for_type(
        role.player.country, phonenumbers.PhoneNumberType.MOBILE
    )
    while True:
        tail = role.rng.randint(0, 9999)
        national = example.national_number // 10_000 * 10_000 + tail  # type: ignore[operator, union-attr]
        number = phonenumbers.PhoneNumber(example.country_code, national)  # type: ignore[union-attr]
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def born(role: Role) -> date:
    return date(1962 + len(role.player.last_name) * 3, len(role.player.first_name) % 12 + 1, 14)


def street(role: Role) -> str:
    place = len(role.player.first_name) * 7 + len(role.player.last_name)
    return f"{STREETS[place % len(STREETS)]} {place}"


def _blurred(role: Role) -> bool:
    return role.player.ending is Ending.KYC_RESUBMIT


def _send_documents(stage: Stage, role: Role, *, blurred: bool) -> None:
    player = role.player
    name = f"{player.first_name} {player.last_name}"
    number = f"{player.country}{role.rng.randint(1_000_000, 9_999_999)}"
    today = clock.now().date()
    expires = today + timedelta(days=role.rng.randint(400, 3000))
    issued = today - timedelta(days=role.rng.randint(5, 60))
    document_upload(
        client_id=role.client,
        kind="PASSPORT",
        content=papers.identity_card(
            name=name, country=player.country, number=number, born=born(role), expires=expires
        ),
        original_name="passport.png",
        country=player.country,
        number=number,
        expires_on=expires,
        actor=role.who,
    )
    _send_bill(role, issued=issued, blurred=blurred)
    case_submit(client_id=role.client, actor=role.who)
    if player.ending is Ending.KYC_WAITING:
        return
    moment = stage.office_hours(clock.now() + timedelta(hours=role.rng.uniform(0.5, 6)))
    stage.timeline.at(moment, lambda: _review(stage, role))


def _send_bill(role: Role, *, issued: date, blurred: bool) -> None:
    player = role.player
    document_upload(
        client_id=role.client,
        kind="UTILITY_BILL",
        content=papers.utility_bill(
            name=f"{player.first_name} {player.last_name}",
            street=street(role),
            city=CITIES[player.country],
            number=f"E-{role.rng.randint(100_000, 999_999)}",
            issued=issued,
            blurred=blurred,
        ),
        original_name="bill.png",
        country=player.country,
        issued_on=issued,
        actor=role.who,
    )


def _review(stage: Stage, role: Role) -> None:
    reviewer = stage.staff["compliance"]
    case = KycCase.objects.get(client_id=role.client)
    case_claim(case_id=case.pk, actor=reviewer)
    decisions: dict[Ending, Callable[[UUID, Actor], None]] = {
        Ending.KYC_ESCALATED: _escalate,
        Ending.KYC_REJECTED: _reject,
        Ending.KYC_RESUBMIT: _ask_again,
    }
    decide = decisions.get(role.player.ending)
    if decide is not None:
        decide(case.pk, reviewer)
        return
    _accept_all(case.pk, reviewer)
    case_approve(case_id=case.pk, actor=reviewer, reason="identity and address proven")
    if role.player.ending is not Ending.UNFUNDED or role.rng.random() < 0.5:
        moment = clock.now() + timedelta(hours=role.rng.uniform(0.3, 10))
        stage.timeline.at(moment, lambda: _open_account(stage, role))


def _accept_all(case_id: UUID, reviewer: Actor) -> None:
    for document in Document.objects.filter(case_id=case_id, state="PROCESSING").order_by("pk"):
        document_accept(document_id=document.pk, actor=reviewer, reason="clear and valid")


def _escalate(case_id: UUID, reviewer: Actor) -> None:
    case_escalate(case_id=case_id, actor=reviewer, reason="name close to a listed person")


def _reject(case_id: UUID, reviewer: Actor) -> None:
    for document in Document.objects.filter(case_id=case_id, state="PROCESSING").order_by("pk"):
        document_reject(
            document_id=document.pk,
            code="SUSPECTED_FORGERY",
            actor=reviewer,
            reason="fonts do not match",
            internal_comment="Number line was pasted in.",
        )
    case_reject(case_id=case_id, code="FORGERY", actor=reviewer, reason="altered document")


def _ask_again(case_id: UUID, reviewer: Actor) -> None:
    for document in Document.objects.filter(case_id=case_id, state="PROCESSING").order_by("pk"):
        if document.kind == "PASSPORT":
            document_accept(document_id=document.pk, actor=reviewer, reason="clear and valid")
        else:
            document_reject(
                document_id=document.pk,
                code="UNREADABLE",
                actor=reviewer,
                reason="blurred",
                client_comment="Please put it on a dark table and take the picture by daylight.",
            )
    case_request_resubmission(
        case_id=case_id,
        actor=reviewer,
        reason="the bill cannot be read",
        client_comment="Only the bill is needed again.",
    )


def _open_account(stage: Stage, role: Role) -> None:
    player = role.player
    if role.marked("provision:failed"):
        with stage.outside.platform_full():
            _ask_for_account(role)
            stage.deliver()
        return
    _ask_for_account(role)
    if player.ending in (Ending.TRADES, Ending.FUNDED):
        moment = clock.now() + timedelta(hours=role.rng.uniform(0.3, 6))
        stage.timeline.at(moment, lambda: money.first_deposit(stage, role))


def _ask_for_account(role: Role) -> None:
    eu = role.player.is_eu
    account = account_open(
        client_id=role.client,
        account_type="eu-standard" if eu else "int-standard",
        currency=role.currency,
        leverage=role.rng.choice((20, 30)) if eu else role.rng.choice((100, 200, 500)),
        actor=role.who,
        request_key=role.key("account"),
    )
    role.account_id = account.pk
