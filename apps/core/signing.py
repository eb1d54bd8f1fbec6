"""The installation's own signature (ed25519): on audit heads, receipts and extracts, and how anybody verifies it.

Private keys never enter the database, so whoever can rewrite every row still cannot sign. A key is named by the first
half of the digest of its public half; retired keys keep verifying what they signed and sign nothing more.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from apps.core.errors import DomainError

ACTIVE = "active.key"
SEED_BYTES = 32


class SigningKeyMissing(DomainError):
    code = "SIGNING_KEY_MISSING"
    message = "There is no key to sign with: {why}."


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, by key id, and the 64 bytes in URL-safe base64."""

    key_id: str
    value: str


def key_id_of(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def canonical(value: Any) -> bytes:
    """The one sequence of bytes of a value: JSON without spaces, keys in order, numbers of money as text.

    Raises `TypeError` for a float, because two machines may write it differently.
    """
    return msgspec.json.encode(_plain(value), order="sorted")


def sign(content: bytes, *, purpose: str) -> Signature:
    """Sign as this installation. A signature for one purpose never verifies for another.

    Raises `SigningKeyMissing`.
    """
    key = _private_key()
    return Signature(key_id_of(_raw(key.public_key())), _text(key.sign(_message(content, purpose))))


def verify(
    content: bytes, signature: Signature, *, purpose: str, keys: Mapping[str, bytes] | None = None
) -> bool:
    """Whether one of the known keys (or of `keys`, by key id) made this signature over these bytes."""
    public = (public_keys() if keys is None else keys).get(signature.key_id)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            _bytes(signature.value), _message(content, purpose)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys() -> dict[str, bytes]:
    """Every key whose signatures count here, by id: the active one and the retired ones."""
    known = [_raw(_private_key().public_key())]
    known += [_bytes(text) for text in settings.SIGNING_RETIRED_KEYS]
    if not settings.SIGNING_KEY:
        known += [_bytes(path.read_text()) for path in sorted(_folder().glob("*.pub"))]
    return {key_id_of(public): public for public in known}


def active_key_id() -> str:
    """Raises `SigningKeyMissing`."""
    return key_id_of(_raw(_private_key().public_key()))


def public_text(public: bytes) -> str:
    """A public key as people hand it on: one line of URL-safe base64."""
    return _text(public)


def keys_from(texts: list[str]) -> dict[str, bytes]:
    """A ring of given public keys, for whoever verifies without this installation. Raises `ValueError`."""
    ring = [_bytes(text) for text in texts]
    for public in ring:
        Ed25519PublicKey.from_public_bytes(public)
    return {key_id_of(public): public for public in ring}


def new_seed() -> str:
    """A fresh private key as `BROKEROS_SIGNING_KEY` takes it."""
    return _text(os.urandom(SEED_BYTES))


def key_rotate() -> tuple[str, str]:
    """Replace the key kept in the home folder and keep the old public half. Returns the old and the new id.

    Raises `SigningKeyMissing` when the key comes from the environment: there it is replaced by its owner.
    """
    if settings.SIGNING_KEY:
        raise SigningKeyMissing(
            why="it comes from BROKEROS_SIGNING_KEY; put a new one there "
            "and the old public key into BROKEROS_SIGNING_RETIRED_KEYS"
        )
    old = _raw(_private_key().public_key())
    _write(_folder() / f"{key_id_of(old)}.pub", _text(old))
    _write(_folder() / ACTIVE, new_seed(), replace=True)
    return key_id_of(old), active_key_id()


def _private_key() -> Ed25519PrivateKey:
    seed = settings.SIGNING_KEY or _kept_seed()
    try:
        return Ed25519PrivateKey.from_private_bytes(_bytes(seed))
    except ValueError as error:
        raise SigningKeyMissing(why="it is not 32 bytes in base64") from error


def _kept_seed() -> str:
    """The key of a home folder, made on first use; of two processes that make one, the first wins."""
    path = _folder() / ACTIVE
    if not path.exists():
        _write(path, new_seed())
    return path.read_text().strip()


def _folder() -> Path:
    folder = Path(settings.SIGNING_FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _write(path: Path, text: str, *, replace: bool = False) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(name).rename(path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _message(content: bytes, purpose: str) -> bytes:
    return b"broker-os\0" + purpose.encode() + b"\0" + content


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes_raw()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    text = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, str | UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "_proxy____args"):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
