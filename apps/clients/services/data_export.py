"""A person's right to a copy: asked for, made by a worker, sealed until it is fetched, once, within a week."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.clients.assessment import retention_rules, subject_of
from apps.clients.enums import PrivacyRequestKind, PrivacyRequestState
from apps.clients.errors import ExportGone
from apps.clients.events import PrivacyRequested
from apps.clients.locks import client_locked
from apps.clients.models import Client, PrivacyRequest
from apps.clients.permissions import MANAGE_PRIVACY, PRIVACY_OWN
from apps.clients.services.erasure import ANSWER_WITHIN, require_none_open
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.commands import command
from apps.core.errors import NotVisible
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.privacy.exporting import export_zip
from apps.core.privacy.files import opened_pieces, sealed_pieces
from apps.core.privacy.keys import Keep, key_for_writing
from apps.core.privacy.registry import REGISTRY

KEPT_FOR = timedelta(days=7)


@command
def export_request(*, client_id: UUID, actor: Actor, reason: str) -> PrivacyRequest:
    """Ask for a copy of everything. Raises `NotVisible`, `NotAllowed`, `PrivacyRequestOpen`."""
    client = client_locked(client_id, visible_to=actor)
    actor.require(PRIVACY_OWN if actor.kind is ActorKind.CLIENT else MANAGE_PRIVACY, client)
    require_none_open(client, PrivacyRequestKind.EXPORT)
    request = PrivacyRequest(
        client=client,
        kind=PrivacyRequestKind.EXPORT,
        asked_by=actor.id,
        due_at=clock.now() + ANSWER_WITHIN,
    )
    request.save_as(actor, reason, action="privacy.export_request")
    emit(PrivacyRequested(request_id=request.pk, client_id=client.pk, kind=request.kind))
    return request


@command
def export_prepare(*, request_id: UUID, actor: Actor) -> bool:
    """Make the archive of a request that waits; False when it has been made."""
    request = lock_row(PrivacyRequest.objects.select_related("client__person"), request_id)
    if request.state != PrivacyRequestState.REQUESTED:
        return False
    client = request.client
    with translation.override(client.language):
        heading = _("Everything we hold about client %(number)s") % {"number": client.number}
        content = export_zip(subject_of(client), heading=heading, classes=_reasons(client))
    _keep(request, content)
    request.expires_at = clock.now() + KEPT_FOR
    request.make_ready(by=actor, reason="made")
    request.save_as(actor, "made", action="privacy.export_ready")
    return True


@command
def export_fetch(*, request_id: UUID, actor: Actor) -> bytes:
    """The archive, once, for the client alone. Raises `NotVisible` for anybody else, `ExportGone` afterwards."""
    request = lock_row(PrivacyRequest.objects.all(), request_id, visible_to=actor)
    if request.client_id not in actor.client_ids:
        raise NotVisible
    actor.require(PRIVACY_OWN, request)
    gone = request.expires_at is None or request.expires_at <= clock.now()
    path = path_of(request.pk)
    if request.state != PrivacyRequestState.READY or gone or not path.exists():
        raise ExportGone
    with path.open("rb") as file:
        content = b"".join(opened_pieces(file, place_of(request.pk)))
    request.fetch(by=actor, reason="fetched")
    request.save_as(actor, "fetched", action="privacy.export_fetch")
    _unlink_later(path)
    return content


@command
def exports_expire(*, actor: Actor) -> int:
    """Remove what nobody fetched in time."""
    rows = PrivacyRequest.objects.filter(
        state=PrivacyRequestState.READY, expires_at__lte=clock.now()
    )
    count = 0
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        request = lock_row(PrivacyRequest.objects.all(), pk)
        if request.state != PrivacyRequestState.READY:
            continue
        request.expire(by=actor, reason="not fetched in time")
        request.save_as(actor, "not fetched in time", action="privacy.export_expire")
        _unlink_later(path_of(pk))
        count += 1
    return count


def discard_exports(client_id: UUID) -> int:
    """Remove archives of an erased client that still wait."""
    paths = [
        path_of(pk)
        for pk in PrivacyRequest.objects.filter(client_id=client_id).values_list("pk", flat=True)
    ]
    present = [path for path in paths if path.exists()]
    for path in present:
        _unlink_later(path)
    return len(present)


def _unlink_later(path: Path) -> None:
    transaction.on_commit(partial(path.unlink, missing_ok=True))


def path_of(request_id: UUID) -> Path:
    return Path(settings.PRIVATE_STORAGE_ROOT) / "exports" / request_id.hex


def place_of(request_id: UUID) -> bytes:
    return f"clients_privacyrequest.file:{request_id}".encode()


def _keep(request: PrivacyRequest, content: bytes) -> None:
    key = key_for_writing(request.client_id, Keep.ERASABLE)
    target = path_of(request.pk)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        for piece in sealed_pieces(key, (content,), place_of(request.pk)):
            file.write(piece)
    part.chmod(0o600)
    part.replace(target)


def _reasons(client: Client) -> dict[str, str]:
    rules = retention_rules(client)
    return {
        entry.model: f"{rules[entry.data_class].basis} ({rules[entry.data_class].source})"
        for entry in REGISTRY
        if entry.data_class in rules
    }
