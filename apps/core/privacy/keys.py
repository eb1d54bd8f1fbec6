"""Data keys: one for each person and each reason to keep, found in batches and remembered for a while.

A key that is used for writing is looked up in the transaction of the write and locked against retirement, so
nothing is ever sealed under a key that is about to go. Reading looks up every key that a page will need with one
query. What is remembered is bounded in number and age: a destroyed key is gone from every process after `MAX_AGE`.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import new_id
from apps.core.privacy.errors import KeyDestroyed, KeyLost
from apps.core.privacy.keyring import keyring

HOUSE = UUID(int=0)
MAX_KEYS = 20_000
MAX_AGE = 300.0
MAX_WANTED = 5_000


class Keep(models.TextChoices):
    """Why data is kept: because the law says so, or only as long as the person lets us."""

    STATUTORY = "STATUTORY", _("kept by law")
    ERASABLE = "ERASABLE", _("erasable")


@dataclass(frozen=True, slots=True)
class Key:
    """An unwrapped data key, ready to work. Its `repr` shows no secret."""

    id: UUID
    cipher: AESGCM = field(repr=False)
    mark: bytes = field(repr=False)
    until: float


class _Remembered(threading.local):
    """Ids that this thread has read sealed values of and will need."""

    def __init__(self) -> None:
        self.wanted: dict[bytes, None] = {}


_keys: OrderedDict[bytes, Key | None] = OrderedDict()
_lock = threading.Lock()
_reading = _Remembered()
_writing: ContextVar[dict[tuple[UUID, str], Key] | None] = ContextVar("keys_in_use", default=None)


def forget() -> None:
    """Drop every remembered key of this process."""
    with _lock:
        _keys.clear()
    _reading.wanted.clear()


def expect(key_id: bytes) -> None:
    """A value under this key was read: its key is fetched together with the others when one is opened."""
    if key_id not in _keys and len(_reading.wanted) < MAX_WANTED:
        _reading.wanted[key_id] = None


@contextmanager
def one_lookup() -> Iterator[None]:
    """Within this block, one write, each key is looked up and locked once."""
    if _writing.get() is not None:
        yield
        return
    token = _writing.set({})
    try:
        yield
    finally:
        _writing.reset(token)


def key_for_writing(subject: UUID, keep: str) -> Key:
    """The subject's current key, made on first use, held against retirement until the transaction ends."""
    in_use = _writing.get()
    known = in_use.get((subject, keep)) if in_use is not None else None
    if known is None:
        known = _locked_or_new(subject, keep)
        if in_use is not None:
            in_use[subject, keep] = known
    return known


def key_for_reading(key_id: bytes) -> Key:
    """Raises `KeyDestroyed` after erasure, `KeyLost` when the key or what wraps it is missing."""
    key = _keys.get(key_id)
    if key is None or key.until < time.monotonic():
        _load(key_id)
        key = _keys.get(key_id)
        if key_id not in _keys:
            raise KeyLost(what="A sealed value", key=UUID(bytes=key_id))
        if key is None:
            raise KeyDestroyed
    return key


def bound_to(key_id: UUID, subject: UUID, keep: str) -> bytes:
    """What a wrapped key is tied to: it opens nothing in another's place."""
    return f"datakey:{key_id}:{subject}:{keep}".encode()


def _locked_or_new(subject: UUID, keep: str) -> Key:
    with connection.cursor() as cursor:
        for _attempt in range(3):
            cursor.execute(
                "SELECT id, kek, wrapped FROM core_datakey WHERE subject = %s AND keep = %s "
                "AND retired_at IS NULL AND destroyed_at IS NULL FOR KEY SHARE",
                (subject, keep),
            )
            row = cursor.fetchone()
            if row is not None:
                return _unwrapped(row[0], row[1], bytes(row[2]), subject, keep)
            key_id = new_id()
            kek, wrapped = keyring().wrap(
                AESGCM.generate_key(bit_length=256), bound_to(key_id, subject, keep)
            )
            cursor.execute(
                "INSERT INTO core_datakey (id, subject, keep, kek, wrapped, created_at) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (key_id, subject, keep, kek, wrapped, clock.now()),
            )
    raise KeyLost(what=f"Data of {subject}", key=keep)


def _load(key_id: bytes) -> None:
    """This key and all that are expected, with one query."""
    wanted = {key_id, *_reading.wanted}
    _reading.wanted.clear()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kek, wrapped, subject, keep, destroyed_at IS NOT NULL "
            "FROM core_datakey WHERE id = ANY(%s)",
            ([UUID(bytes=one) for one in wanted],),
        )
        rows = cursor.fetchall()
    _remember(key_id, None, drop=True)
    for found, kek, wrapped, subject, keep, destroyed in rows:
        if destroyed:
            _remember(found.bytes, None)
        elif found.bytes == key_id:
            _unwrapped(found, kek, bytes(wrapped), subject, keep)
        else:
            _unwrapped_if_possible(found, kek, bytes(wrapped), subject, keep)


def _unwrapped_if_possible(
    key_id: UUID, kek: str, wrapped: bytes, subject: UUID, keep: str
) -> None:
    try:
        _unwrapped(key_id, kek, wrapped, subject, keep)
    except KeyLost:
        return


def _unwrapped(key_id: UUID, kek: str, wrapped: bytes, subject: UUID, keep: str) -> Key:
    known = _keys.get(key_id.bytes)
    if known is not None and known.until >= time.monotonic():
        return known
    secret = keyring().unwrap(kek, wrapped, bound_to(key_id, subject, keep))
    mark = hmac.digest(secret, b"audit mark", "sha256")
    key = Key(key_id, AESGCM(secret), mark, time.monotonic() + MAX_AGE)
    _remember(key_id.bytes, key)
    return key


def _remember(key_id: bytes, key: Key | None, *, drop: bool = False) -> None:
    with _lock:
        _keys.pop(key_id, None)
        if drop:
            return
        _keys[key_id] = key
        while len(_keys) > MAX_KEYS:
            _keys.popitem(last=False)
