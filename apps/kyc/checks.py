"""What a machine can see before a person looks. Each check says what it compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

from apps.clients.enums import DuplicateState
from apps.clients.models import Client, DuplicateFlag
from apps.clients.selectors import client_age_years
from apps.core import clock
from apps.kyc.enums import CheckOutcome, DocumentState, Evidence
from apps.kyc.models import Document, KycCase
from apps.kyc.selectors import documents_of, same_file_elsewhere, same_number_elsewhere

ADULT = 18
PROOF_OF_ADDRESS_TTL = timedelta(days=92)
READABLE_SHORT_SIDE = 700


@dataclass(frozen=True)
class Check:
    """`values` explains the outcome; document ids and client numbers, never personal data."""

    code: str
    outcome: str
    document_id: str = ""
    values: str = ""


def run_checks(case: KycCase, client: Client) -> list[dict[str, str]]:
    """All checks on a case that was handed in, worst first."""
    found = [*_client_checks(client)]
    for document in documents_of(case):
        if document.state != DocumentState.REJECTED:
            found += _document_checks(document, client)
    order = [CheckOutcome.FAIL, CheckOutcome.WARN, CheckOutcome.PASS]
    found.sort(key=lambda check: order.index(CheckOutcome(check.outcome)))
    return [asdict(check) for check in found]


def _client_checks(client: Client) -> Iterator[Check]:
    years = client_age_years(client)
    yield Check("ADULT", _verdict(years >= ADULT), values=str(years))
    yield Check("PEP_DECLARED", _warn(client.pep_declared))
    yield Check("US_PERSON", _warn(client.us_person))
    twins = DuplicateFlag.objects.filter(client=client).exclude(state=DuplicateState.DISMISSED)
    numbers = ", ".join(twins.values_list("other__number", flat=True))
    yield Check("DUPLICATE_PERSON", _warn(bool(numbers)), values=numbers)
    elsewhere = client.person.tax_residence not in ("", client.country)
    yield Check("TAX_RESIDENCE", _warn(elsewhere), values=client.person.tax_residence)


def _document_checks(document: Document, client: Client) -> list[Check]:
    pk = str(document.pk)
    found = [
        _twin_check("SAME_FILE", pk, same_file_elsewhere(document)),
        _twin_check("SAME_NUMBER", pk, same_number_elsewhere(document)),
    ]
    if document.is_image:
        short = min(document.width or 0, document.height or 0)
        found.append(Check("READABLE", _warn(short < READABLE_SHORT_SIDE), pk, f"{short} px"))
    if document.proves == Evidence.POI:
        found += _identity_checks(document, client, pk)
    if document.proves == Evidence.POA:
        found.append(_freshness(document, pk))
    return found


def _identity_checks(document: Document, client: Client, pk: str) -> list[Check]:
    today = clock.now().date()
    if document.expires_on is None:
        validity = Check("VALID", CheckOutcome.WARN, pk)
    else:
        valid = not document.has_expired(today)
        validity = Check("VALID", _verdict(valid), pk, document.expires_on.isoformat())
    known = {client.person.citizenship, client.country}
    foreign = bool(document.country) and document.country not in known
    return [validity, Check("ISSUING_COUNTRY", _warn(foreign), pk, document.country)]


def _freshness(document: Document, pk: str) -> Check:
    """A proof of address is not older than three months."""
    if document.issued_on is None:
        return Check("RECENT", CheckOutcome.WARN, pk)
    fresh = document.issued_on >= clock.now().date() - PROOF_OF_ADDRESS_TTL
    return Check("RECENT", _verdict(fresh), pk, document.issued_on.isoformat())


def _twin_check(code: str, pk: str, twins: list[Document]) -> Check:
    numbers = ", ".join(sorted({twin.case.client.number for twin in twins}))
    return Check(code, _verdict(not twins), pk, numbers)


def _verdict(passed: bool) -> str:
    return CheckOutcome.PASS.value if passed else CheckOutcome.FAIL.value


def _warn(conspicuous: bool) -> str:
    return CheckOutcome.WARN.value if conspicuous else CheckOutcome.PASS.value
