"""Cases and papers for KYC's stories."""

from __future__ import annotations

from datetime import date
from typing import Any

from apps.clients.models import Client
from apps.kyc.models import Document, KycCase
from apps.kyc.services import case_claim, case_submit, document_accept, document_upload
from tests.clients import world

LATER = date(2031, 6, 30)
LAST_MONTH = date(2026, 10, 28)


def send(client: Client, kind: str = "PASSPORT", **fields: Any) -> Document:
    fields = {
        "content": world.picture(colour=f"#{abs(hash((str(client.pk), kind))) % 0xFFFFFF:06x}"),
        "original_name": f"{kind.lower()}.jpg",
        "actor": world.acting(client),
        **fields,
    }
    return document_upload(client_id=client.id, kind=kind, **fields)


def papers(client: Client) -> tuple[Document, Document]:
    """A passport and a bill, as asked for."""
    return (
        send(client, "PASSPORT", country="DE", number="C01X00T47", expires_on=LATER),
        send(client, "UTILITY_BILL", issued_on=LAST_MONTH),
    )


def submitted(**fields: Any) -> KycCase:
    client = world.applicant(**fields)
    papers(client)
    return case_submit(client_id=client.id, actor=world.acting(client))


def claimed(role: str = "compliance", **fields: Any) -> KycCase:
    case = submitted(**fields)
    return case_claim(case_id=case.id, actor=world.staff(role))


def accept_all(case: KycCase, role: str = "compliance") -> None:
    for document in Document.objects.filter(case=case, state="PROCESSING"):
        document_accept(document_id=document.id, actor=world.staff(role))
