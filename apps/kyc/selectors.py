"""Reads: the queue, what is missing, what the client sees."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.clients.models import Client
from apps.clients.selectors import client_age_years
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.money import Money
from apps.kyc.enums import (
    COUNTS,
    OPEN_FOR_UPLOAD,
    PROVES,
    TWO_SIDED,
    UNDECIDED,
    CaseState,
    DocumentKind,
    DocumentState,
    Evidence,
    Side,
)
from apps.kyc.models import Document, KycCase, default_evidence
from apps.kyc.risk import Assessment, Profile, assess
from apps.ledger.enums import AccountKind
from apps.ledger.models import Balance

DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def risk_model() -> dict[str, Any]:
    """Weights and lists of the risk rating."""
    return tomllib.loads((DATA / "risk.toml").read_text("utf-8"))


def case_list(*, actor: Actor) -> QuerySet[KycCase]:
    return KycCase.objects.visible_to(actor).select_related(
        "client__person", "client__entity", "claimed_by"
    )


def case_get(case_id: UUID, *, actor: Actor) -> KycCase:
    """Raises `NotVisible`."""
    case = case_list(actor=actor).filter(pk=case_id).first()
    if case is None:
        raise NotVisible
    return case


def case_of_client(client_id: UUID, *, actor: Actor) -> KycCase | None:
    return case_list(actor=actor).filter(client_id=client_id).first()


def review_queue(*, actor: Actor) -> list[KycCase]:
    """Cases that wait for us, each with `money_waiting`: those with money first, then the oldest."""
    cases = list(case_list(actor=actor).with_staff())  # type: ignore[attr-defined]
    waiting = money_waiting([case.client_id for case in cases])
    for case in cases:
        case.money_waiting = waiting.get(case.client_id, [])  # type: ignore[attr-defined]
    return sorted(cases, key=lambda case: (not case.money_waiting, case.submitted_at))  # type: ignore[attr-defined]


def next_in_queue(*, actor: Actor, after: UUID | None = None) -> KycCase | None:
    """The next case that nobody else works on."""
    free = [
        case
        for case in review_queue(actor=actor)
        if case.pk != after and case.claim_holder() in (None, actor.user_id)
    ]
    return free[0] if free else None


def money_waiting(client_ids: Iterable[UUID]) -> dict[UUID, list[Money]]:
    """Posted wallet money by client, one entry a currency, in one query; clients without any are
    left out."""
    owners = {f"client:{client_id}": client_id for client_id in client_ids}
    rows = Balance.objects.filter(
        account__owner__in=owners, account__kind=AccountKind.CLIENT_WALLET
    ).select_related("account")
    found: dict[UUID, list[Money]] = defaultdict(list)
    for row in rows:
        posted = row.credits_posted - row.debits_posted
        if posted > 0:
            money = Money.from_minor(int(posted), row.account.currency_id)
            found[owners[row.account.owner]].append(money)
    return dict(found)


# Documents


def documents_of(case: KycCase) -> list[Document]:
    """Current documents, oldest first."""
    return list(case.documents.current().order_by("created_at"))


def evidence_needed(case: KycCase | None) -> list[Evidence]:
    """What the rules ask of this client, as found when the case was opened or handed in."""
    asked = case.needed if case else default_evidence()
    return [evidence for evidence in Evidence if evidence.value in asked]


def evidence_given(
    documents: Iterable[Document], *, states: Iterable[str]
) -> dict[Evidence, list[str]]:
    """Which evidence is complete among documents in `states`, with the kinds that give it. A
    two-sided document counts with both sides, or when it came as a whole."""
    sides: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        if document.state in set(states):
            sides[document.kind].add(document.side)
    given: dict[Evidence, list[str]] = defaultdict(list)
    for kind, seen in sides.items():
        if is_whole(kind, seen):
            given[PROVES[kind]].append(kind)
    return dict(given)


def is_whole(kind: str, sides: set[str]) -> bool:
    """Whether these sides make the document complete."""
    if kind not in TWO_SIDED:
        return bool(sides)
    return Side.WHOLE in sides or {Side.FRONT, Side.BACK} <= sides


def missing_evidence(case: KycCase) -> list[Evidence]:
    """What the client has yet to send: neither accepted nor waiting for us."""
    given = evidence_given(documents_of(case), states=[*COUNTS, *UNDECIDED])
    return [evidence for evidence in evidence_needed(case) if evidence not in given]


def accepted_evidence(case: KycCase) -> list[str]:
    """What has been proven, in the words of the rules."""
    return sorted(str(code) for code in evidence_given(documents_of(case), states=COUNTS))


def same_file_elsewhere(document: Document) -> list[Document]:
    """The same bytes sent for another client."""
    return list(
        Document.objects.filter(source_index=document.source_index)
        .exclude(case_id=document.case_id)
        .select_related("case__client")
    )


def same_number_elsewhere(document: Document) -> list[Document]:
    """The same document number shown by another client."""
    if not document.number:
        return []
    return list(
        Document.objects.filter(
            number_index=document.number, kind=document.kind, country=document.country
        )
        .exclude(case_id=document.case_id)
        .select_related("case__client")
    )


# Risk


def risk_profile(client: Client) -> Profile:
    """What the client declared, as the risk arithmetic reads it."""
    session = getattr(client, "onboarding", None)
    answers = session.answers if session else {}
    person = client.person
    return Profile(
        countries=tuple(sorted({client.country, person.citizenship, person.tax_residence} - {""})),
        pep=client.pep_declared,
        us_person=client.us_person,
        has_tax_id=bool(person.tax_id),
        age_years=client_age_years(client),
        employment=answers.get("employment", ""),
        annual_income=answers.get("annual_income", ""),
        planned_deposits=answers.get("planned_deposits", ""),
        source_of_funds=tuple(answers.get("source_of_funds", ())),
        by_partner=bool(client.partner_code),
    )


def risk_assessment(client: Client) -> Assessment:
    return assess(risk_profile(client), risk_model())


# What the client sees


def evidence_board(case: KycCase | None) -> list[dict[str, Any]]:
    """One card for each evidence that is needed: its state, its files, what to do."""
    documents = documents_of(case) if case else []
    board = []
    for evidence in evidence_needed(case):
        files = [document for document in documents if document.proves == evidence]
        board.append(
            {
                "evidence": evidence,
                "label": evidence.label,
                "kinds": [
                    (kind.value, kind.label) for kind in DocumentKind if PROVES[kind] == evidence
                ],
                "files": files,
                "state": _board_state(evidence, files),
                "missing_sides": _missing_sides(files),
            }
        )
    return board


def _board_state(evidence: Evidence, files: list[Document]) -> str:
    if evidence in evidence_given(files, states=COUNTS):
        return "ACCEPTED"
    if evidence in evidence_given(files, states=[*COUNTS, *UNDECIDED]):
        return "UPLOADED"
    if any(document.state == DocumentState.REJECTED for document in files):
        return "REJECTED"
    return "REQUESTED"


def _missing_sides(files: list[Document]) -> list[str]:
    """Sides without which a two-sided document is not complete."""
    sides: dict[str, set[str]] = defaultdict(set)
    for document in files:
        if document.state in {*COUNTS, *UNDECIDED}:
            sides[document.kind].add(document.side)
    return [
        str(Side(side).label)
        for kind, seen in sides.items()
        if not is_whole(kind, seen)
        for side in (Side.FRONT, Side.BACK)
        if side not in seen
    ]


def takes_uploads(case: KycCase | None) -> bool:
    return case is None or CaseState(case.state) in OPEN_FOR_UPLOAD
