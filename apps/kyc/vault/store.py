"""Files by their document's id, in a directory that no web server knows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.core.errors import NotVisible
from apps.core.privacy.errors import KeyDestroyed, SealBroken
from apps.core.privacy.files import opened_pieces, sealed_pieces
from apps.core.privacy.keys import Keep, key_for_writing


class VaultDamaged(Exception):
    """A file is not what was stored; it is never shown."""


def path_of(document_id: UUID) -> Path:
    name = document_id.hex
    return Path(settings.PRIVATE_STORAGE_ROOT) / "kyc" / name[-2:] / name


def keep(document_id: UUID, content: bytes, *, subject: UUID) -> None:
    """Write once, sealed under the subject's key: whole or not at all, readable by this process' user alone.

    Called inside the command's transaction; when that is undone the file stays without a row, and
    nothing leads to it.
    """
    key = key_for_writing(subject, Keep.STATUTORY)
    target = path_of(document_id)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in sealed_pieces(key, (content,), place(document_id)):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def stream(document_id: UUID) -> Iterator[bytes]:
    """The file piece by piece, each one proven before it is handed on."""
    with path_of(document_id).open("rb") as file:
        yield from opened_pieces(file, place(document_id))


def discard(document_id: UUID) -> bool:
    """Remove the file of an erased document; True when there was one."""
    path = path_of(document_id)
    if not path.exists():
        return False
    path.unlink()
    return True


def place(document_id: UUID) -> bytes:
    return f"kyc_document.file:{document_id}".encode()


def fetch(document_id: UUID, *, sha256: str) -> bytes:
    """What was kept. Raises `NotVisible` when it is gone, `VaultDamaged` when it was altered."""
    try:
        content = b"".join(stream(document_id))
    except (FileNotFoundError, KeyDestroyed) as error:
        raise NotVisible from error
    except SealBroken as error:
        raise VaultDamaged(str(document_id)) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise VaultDamaged(str(document_id))
    return content
