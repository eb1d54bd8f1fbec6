"""Row locks of this app, and the one that keeps two workers from delivering the same operation."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from apps.accounts.models import PlatformOperation, TradingAccount
from apps.core.actor import Actor
from apps.core.errors import Busy
from apps.core.locks import lock_row, lock_rows

_DELIVERY_SPACE = 0x0ACC


def account_locked(account_id: UUID, *, visible_to: Actor) -> TradingAccount:
    return lock_row(
        TradingAccount.objects.select_related("client__entity", "account_type", "server", "group"),
        account_id,
        visible_to=visible_to,
    )


def accounts_of_client_locked(client_id: UUID) -> list[TradingAccount]:
    """Every live account of a client, in the order of the key."""
    return lock_rows(TradingAccount.objects.live().filter(client_id=client_id))


def operation_locked(operation_id: UUID) -> PlatformOperation:
    return lock_row(
        PlatformOperation.objects.select_related("account__server__platform"), operation_id
    )


@contextmanager
def sole_delivery(operation_id: UUID) -> Iterator[None]:
    """One worker at a time talks to the platform about an operation. Raises `Busy` for the second.

    A session lock, because no transaction may stay open while a platform is thinking.
    """
    key = zlib.crc32(operation_id.bytes) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_DELIVERY_SPACE, key])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_DELIVERY_SPACE, key])
