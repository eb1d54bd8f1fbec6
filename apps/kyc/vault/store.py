"""Files by their document's id, in a directory that no web server knows."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.core.errors import NotVisible


class VaultDamaged(Exception):
    """A file is not what was stored; it is never shown."""


def path_of(document_id: UUID) -> Path:
    name = document_id.hex
    return Path(settings.PRIVATE_STORAGE_ROOT) / "kyc" / name[-2:] / name


def keep(document_id: UUID, content: bytes) -> None:
    """Write once: whole or not at all, readable by this process' user alone.

    Called inside the command's transaction; when that is undone the file stays without a row, and
    nothing leads to it.
    """
    target = path_of(document_id)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def fetch(document_id: UUID, *, sha256: str) -> bytes:
    """What was kept. Raises `NotVisible` when it is gone, `VaultDamaged` when it was altered."""
    try:
        content = path_of(document_id).read_bytes()
    except FileNotFoundError as error:
        raise NotVisible from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise VaultDamaged(str(document_id))
    return content
