"""Row locks of this app. The client comes first, then the money, then the ledger's balances: never backwards."""

from __future__ import annotations

from uuid import UUID

from apps.core.actor import Actor
from apps.core.locks import lock_row
from apps.payments.models import Deposit, SuspenseItem, Transfer, Withdrawal


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
