"""The keys that wrap other keys: a port with one adapter that reads them from the environment.

A key-encryption key never touches the database and a data key never leaves it unwrapped, so neither a dump
nor a keyring alone opens anything. A key management service takes this port's place by another class with
`wrap` and `unwrap`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from apps.core.privacy.errors import KeyLost, SealBroken

NONCE = 12
KEY_BYTES = 32


class KeyEncryption(Protocol):
    """Wraps data keys. `bound_to` says whose key it is; another's is refused."""

    @property
    def current_id(self) -> str: ...
    def wrap(self, key: bytes, bound_to: bytes) -> tuple[str, bytes]: ...
    def unwrap(self, kek_id: str, wrapped: bytes, bound_to: bytes) -> bytes: ...


class Keyring:
    """Key-encryption keys by id; the first one wraps, all of them unwrap."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self.current_id = next(iter(keys))
        self._keys = {name: AESGCM(key) for name, key in keys.items()}

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(self._keys)}>"

    def wrap(self, key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        nonce = os.urandom(NONCE)
        return self.current_id, nonce + self._keys[self.current_id].encrypt(nonce, key, bound_to)

    def unwrap(self, kek_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises `KeyLost` when the ring has no such key, `SealBroken` when the bytes are not its work."""
        if kek_id not in self._keys:
            raise KeyLost(what="A data key", key=kek_id)
        try:
            return self._keys[kek_id].decrypt(wrapped[:NONCE], wrapped[NONCE:], bound_to)
        except InvalidTag as error:
            raise SealBroken(column="core_datakey.wrapped") from error


def parse_keys(text: str, name: str) -> dict[str, bytes]:
    """`id:base64,id:base64`, the first one wraps. Raises `ImproperlyConfigured` with one sentence."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, _, encoded = part.partition(":")
        keys[key_id] = parse_key(encoded, name)
    if not keys or not all(0 < len(key_id) <= 40 for key_id in keys):
        raise ImproperlyConfigured(
            f"{name} names no key: write id:base64, and put the newest first when there are several."
        )
    return keys


def parse_key(encoded: str, name: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(
            f"{name} must hold 32 random bytes in base64, for instance from: openssl rand -base64 32."
        )
    return key


def house_keys(file: Path) -> dict[str, str]:
    """The keys of an embedded home, made on first use and readable by its owner alone."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = {
            "kek": f"home:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}",
            "index": base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
        }
        part = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(fresh, out)
        with contextlib.suppress(FileExistsError):
            os.link(part, file)
        part.unlink()
    return dict(json.loads(file.read_text()))


@lru_cache(maxsize=1)
def keyring() -> KeyEncryption:
    """The ring of this process."""
    return Keyring(parse_keys(_setting("PRIVACY_KEK", "kek"), "BROKEROS_KEK"))


@lru_cache(maxsize=1)
def index_key() -> bytes:
    """The key of blind indexes: another one, so that rotating the ring leaves every index as it is."""
    return parse_key(_setting("PRIVACY_INDEX_KEY", "index"), "BROKEROS_INDEX_KEY")


def forget() -> None:
    """Read the settings again; for tests and after a rotation."""
    keyring.cache_clear()
    index_key.cache_clear()


def _setting(name: str, kind: str) -> str:
    from django.conf import settings

    value: str = getattr(settings, name, "")
    return value or house_keys(Path(settings.PRIVACY_KEYS_FILE))[kind]
