"""Documents: taken in, looked at, judged one by one."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

from django_fsm import can_proceed

from apps.clients.locks import client_locked
from apps.clients.onboarding.answers import COUNTRIES
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible
from apps.core.events import emit
from apps.core.ids import new_id
from apps.kyc.enums import (
    FINAL_REASONS,
    OPEN_FOR_UPLOAD,
    TWO_SIDED,
    CaseState,
    DocumentKind,
    DocumentState,
    RejectReason,
    Side,
)
from apps.kyc.errors import CaseClosedForUpload, CommentRequired, DocumentStateForbids
from apps.kyc.events import DocumentUploaded
from apps.kyc.locks import document_locked
from apps.kyc.models import Document, KycCase
from apps.kyc.permissions import REVIEW_CASE, UPLOAD_OWN, VIEW_DOCUMENTS
from apps.kyc.services.cases import case_for, require_reviewable, tell_client
from apps.kyc.vault import store
from apps.kyc.vault.inspect import inspect

EXPIRY_NOTICE = timedelta(days=60)


@command
def document_upload(
    *,
    client_id: UUID,
    kind: str,
    content: bytes,
    original_name: str,
    actor: Actor,
    side: str = Side.WHOLE,
    country: str = "",
    number: str = "",
    issued_on: date | None = None,
    expires_on: date | None = None,
) -> Document:
    """Take a file into the vault; a newer one of the same kind and side replaces the older.

    The same file sent twice is one document. Raises `NotVisible`, `NotAllowed`, `UploadRefused`
    (with its subclasses), `InvalidInput`, `CaseClosedForUpload`, `DocumentStateForbids`.
    """
    safe = inspect(content)
    _check_description(kind, side, country, issued_on, expires_on)
    client = client_locked(client_id, visible_to=actor)
    actor.require(UPLOAD_OWN, client)
    case = case_for(client, actor=actor)
    if CaseState(case.state) not in OPEN_FOR_UPLOAD:
        raise CaseClosedForUpload
    replaced = case.documents.current().filter(kind=kind, side=side).first()
    if replaced is not None:
        if replaced.source_sha256 == safe.source_sha256:
            return replaced
        _supersede(replaced, actor=actor)
    document = Document(
        id=new_id(),
        case=case,
        kind=kind,
        side=side,
        country=country,
        number=number.strip().upper()[:40],
        issued_on=issued_on,
        expires_on=expires_on,
        original_name=safe_name(original_name),
        content_type=safe.content_type,
        size_bytes=len(safe.content),
        width=safe.width,
        height=safe.height,
        source_sha256=safe.source_sha256,
        stored_sha256=safe.stored_sha256,
    )
    store.keep(document.id, safe.content, subject=client.id)
    document.save_as(actor, "uploaded", action="document.upload")
    _begin(case, client, actor=actor)
    emit(DocumentUploaded(client_id=client.id, case_id=case.id, document_id=document.id))
    return document


def _begin(case: KycCase, client: object, *, actor: Actor) -> None:
    if can_proceed(case.begin) and case.state != CaseState.IN_PROGRESS:
        case.begin(by=actor, reason="first document")
        case.save_as(actor, "first document", action="kyc.begin")
        tell_client(case, client, actor=actor, reason="first document")  # type: ignore[arg-type]


def _supersede(document: Document, *, actor: Actor) -> None:
    """An accepted document stays as long as it counts; a forgery is not replaced at all."""
    still_counts = document.state == DocumentState.ACCEPTED
    if document.reject_final or still_counts or not can_proceed(document.supersede):
        raise DocumentStateForbids(state=document.get_state_display())
    document.supersede(by=actor, reason="replaced")
    document.save_as(actor, "replaced by a newer file", action="document.supersede")


@command
def document_open(*, document_id: UUID, purpose: str, actor: Actor) -> tuple[Document, bytes]:
    """The file itself. Every look is written down with its purpose before anything is shown.

    Raises `NotVisible`, `NotAllowed` for staff who may not see documents.
    """
    document = (
        Document.objects.visible_to(actor).select_related("case").filter(pk=document_id).first()
    )
    if document is None:
        raise NotVisible
    if actor.kind is not ActorKind.CLIENT:
        actor.require(VIEW_DOCUMENTS, document)
    content = store.fetch(document.id, sha256=document.stored_sha256)
    audit(
        actor=actor,
        action="document.view",
        subject=document,
        client_id=document.case.client_id,
        reason=purpose,
    )
    return document, content


@command
def document_accept(
    *,
    document_id: UUID,
    actor: Actor,
    reason: str = "",
    number: str | None = None,
    country: str | None = None,
    issued_on: date | None = None,
    expires_on: date | None = None,
) -> Document:
    """The document proves what it should. What the reviewer read from it replaces what was typed.

    Raises `NotVisible`, `NotAllowed`, what `require_reviewable` raises, `DocumentStateForbids`,
    `InvalidInput` when it has expired.
    """
    _client, case, document = document_locked(document_id, visible_to=actor)
    actor.require(REVIEW_CASE, document)
    require_reviewable(case, actor=actor)
    if not can_proceed(document.accept):
        raise DocumentStateForbids(state=document.get_state_display())
    if number is not None:
        document.number = number.strip().upper()[:40]
    if country is not None:
        document.country = country.upper()
    document.issued_on = issued_on or document.issued_on
    document.expires_on = expires_on or document.expires_on
    _check_description(
        document.kind, document.side, document.country, document.issued_on, document.expires_on
    )
    document.accept(by=actor, reason=reason)
    document.save_as(actor, reason or "accepted", action="document.accept")
    return document


@command
def document_reject(
    *,
    document_id: UUID,
    code: str,
    actor: Actor,
    reason: str = "",
    client_comment: str = "",
    internal_comment: str = "",
) -> Document:
    """The document will not do. The code's words and `client_comment` reach the client, the
    internal comment never does. A suspected forgery is final: it cannot be sent again.

    Raises `NotVisible`, `NotAllowed`, what `require_reviewable` raises, `DocumentStateForbids`,
    `InvalidInput`, `CommentRequired` for the code OTHER without a comment.
    """
    _client, case, document = document_locked(document_id, visible_to=actor)
    actor.require(REVIEW_CASE, document)
    require_reviewable(case, actor=actor)
    if code not in RejectReason.values:
        raise InvalidInput(field="code", problem=code)
    if code == RejectReason.OTHER and not client_comment.strip():
        raise CommentRequired
    if not can_proceed(document.reject):
        raise DocumentStateForbids(state=document.get_state_display())
    document.internal_comment = internal_comment
    document.reject(
        code,
        comment=client_comment.strip(),
        final=code in FINAL_REASONS,
        by=actor,
        reason=reason,
    )
    document.save_as(actor, reason or code, action="document.reject")
    return document


@command
def documents_age(*, actor: Actor) -> int:
    """Move accepted documents towards their end as their date comes near. Once a day."""
    today = clock.now().date()
    moved = 0
    ids = Document.objects.filter(
        state__in=[DocumentState.ACCEPTED, DocumentState.EXPIRING],
        expires_on__lte=today + EXPIRY_NOTICE,
    ).values_list("pk", flat=True)
    for document_id in list(ids):
        client, case, document = document_locked(document_id, visible_to=actor)
        if document.has_expired(today):
            document.expire(by=actor, reason="date passed")
            document.save_as(actor, "date passed", action="document.expire")
            if can_proceed(case.expire):
                case.expire(by=actor, reason="document expired")
                case.save_as(actor, "document expired", action="kyc.expire")
                tell_client(case, client, actor=actor, reason="document expired")
        elif can_proceed(document.near_expiry):
            document.near_expiry(by=actor, reason="date comes near")
            document.save_as(actor, "date comes near", action="document.near_expiry")
        else:
            continue
        moved += 1
    return moved


def safe_name(raw: str) -> str:
    """The last part of the name, without what could be mistaken for a path or for markup."""
    name = raw.replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r"[^\w. ()-]", "_", name).strip(". ")[:120] or "document"


def _check_description(
    kind: str, side: str, country: str, issued_on: date | None, expires_on: date | None
) -> None:
    if kind not in DocumentKind.values:
        raise InvalidInput(field="kind", problem=kind)
    if side not in Side.values or (side != Side.WHOLE and kind not in TWO_SIDED):
        raise InvalidInput(field="side", problem=side)
    if country and country not in COUNTRIES:
        raise InvalidInput(field="country", problem=country)
    today = clock.now().date()
    if issued_on is not None and issued_on > today:
        raise InvalidInput(field="issued_on", problem=issued_on.isoformat())
    if expires_on is not None and expires_on <= today:
        raise InvalidInput(field="expires_on", problem=RejectReason.EXPIRED.label)
    if issued_on is not None and expires_on is not None and expires_on <= issued_on:
        raise InvalidInput(field="expires_on", problem=expires_on.isoformat())
