"""Which rows and files of this app say something about a person."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import models, transaction

from apps.core.privacy.exporting import register_export_files
from apps.core.privacy.registry import (
    DataClass,
    Erase,
    Subject,
    register_personal_data,
    withhold,
)
from apps.kyc.models import Document, KycCase
from apps.kyc.vault import store

SUFFIX = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def _documents(subject: Subject) -> models.QuerySet[Any]:
    return Document.objects.filter(case__client_id=subject.client_id)


def _cases(subject: Subject) -> models.QuerySet[Any]:
    return KycCase.objects.filter(client_id=subject.client_id)


def _discard_files(subject: Subject) -> int:
    """The files go with the commit; their key is destroyed inside it."""
    ids = [
        pk for pk in _documents(subject).values_list("pk", flat=True) if store.path_of(pk).exists()
    ]
    for document_id in ids:
        transaction.on_commit(partial(store.discard, document_id))
    return len(ids)


def _files(subject: Subject) -> Iterator[tuple[str, Iterator[bytes]]]:
    for document in _documents(subject):
        if store.path_of(document.pk).exists():
            suffix = SUFFIX.get(document.content_type, "bin")
            yield f"{document.kind.lower()}-{document.pk}.{suffix}", store.stream(document.pk)


def register() -> None:
    register_personal_data(
        "kyc.Document",
        DataClass.DOCUMENTS,
        (
            "number", "original_name", "source_sha256", "stored_sha256", "client_comment", "internal_comment",
            "issued_on", "expires_on", "country",
        ),
        rows=_documents,
        effect=_discard_files,
    )  # fmt: skip
    register_personal_data(
        "kyc.KycCase", DataClass.DOCUMENTS, ("client_comment", "internal_comment"), rows=_cases
    )
    register_personal_data(
        "kyc.KycCase", DataClass.RECORDS, ("checks", "risk"), rows=_cases, erase=Erase.KEEP
    )
    register_export_files(_files)
    # What staff wrote for each other, and how suspicion is weighed: Directive (EU) 2015/849 Art. 39 forbids to tell.
    withhold("kyc.Document", "internal_comment", "stored_sha256")
    withhold(
        "kyc.KycCase",
        "internal_comment",
        "checks",
        "risk",
        "claimed_by",
        "claimed_at",
        "decided_by",
        "decision_id",
    )
