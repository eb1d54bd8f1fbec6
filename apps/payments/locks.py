"""Row locks of this app. The client comes first, then the money, then the ledger's balances: never backwards."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from apps.core.actor import Actor
from apps.core.errors import Busy
from apps.core.locks import lock_row
from apps.payments.models import Deposit, SuspenseItem, Transfer, Withdrawal

_ADVANCE_SPACE = 0x0BA7


def deposit_locked(deposit_id: UUID, *, visible_to: Actor) -> Deposit:
    return lock_row(
        Deposit.objects.select_related("client__entity", "client__person"),
        deposit_id,
        visible_to=visible_to,
    )


def withdrawal_locked(withdrawal_id: UUID, *, visible_to: Actor) -> Withdrawal:
    return lock_row(
        Withdrawal.objects.select_related(
            "client__entity", "client__person", "provider", "destination"
        ),
        withdrawal_id,
        visible_to=visible_to,
    )


def transfer_locked(transfer_id: UUID, *, visible_to: Actor) -> Transfer:
    return lock_row(
        Transfer.objects.select_related("client__entity", "account"),
        transfer_id,
        visible_to=visible_to,
    )


def suspense_locked(item_id: UUID, *, visible_to: Actor) -> SuspenseItem:
    return lock_row(SuspenseItem.objects.select_related("provider"), item_id, visible_to=visible_to)


@contextmanager
def sole_advance(transfer_id: UUID) -> Iterator[None]:
    """One worker at a time asks the other systems about a transfer. Raises `Busy` for the second.

    Two answers to one question could differ: one worker would put back what the other takes. A session lock, because
    no transaction may stay open while the other systems are thinking.
    """
    key = zlib.crc32(transfer_id.bytes) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_ADVANCE_SPACE, key])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_ADVANCE_SPACE, key])
