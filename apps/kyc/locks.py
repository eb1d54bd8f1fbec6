"""Row locks: the client, then the case, then the document; never in another order."""

from __future__ import annotations

from uuid import UUID

from apps.clients.locks import client_locked
from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.locks import lock_row
from apps.kyc.models import Document, KycCase


def case_locked(case_id: UUID, *, visible_to: Actor) -> tuple[Client, KycCase]:
    """Client and case of `case_id`. Raises `NotVisible`."""
    found = KycCase.objects.visible_to(visible_to).filter(pk=case_id)
    client_id = found.values_list("client_id", flat=True).first()
    if client_id is None:
        raise NotVisible
    client = client_locked(client_id, visible_to=visible_to)
    case = lock_row(KycCase.objects.all(), case_id)
    case.client = client
    return client, case


def document_locked(document_id: UUID, *, visible_to: Actor) -> tuple[Client, KycCase, Document]:
    """Client, case and document of `document_id`. Raises `NotVisible`."""
    found = Document.objects.visible_to(visible_to).filter(pk=document_id)
    case_id = found.values_list("case_id", flat=True).first()
    if case_id is None:
        raise NotVisible
    client, case = case_locked(case_id, visible_to=visible_to)
    document = lock_row(Document.objects.all(), document_id)
    document.case = case
    return client, case, document
