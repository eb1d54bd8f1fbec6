"""What happened to money. Identifiers and figures only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class WebhookReceived(Event):
    """A provider's authentic message is stored; its object is read from the provider next."""

    name = "payments.WebhookReceived"
    aggregate = "object_id"

    receipt_id: UUID
    object_id: str


@dataclass(frozen=True, kw_only=True)
class DepositCreated(Event):
    name = "payments.DepositCreated"
    aggregate = "deposit_id"

    deposit_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class DepositUnderReview(Event):
    """The money is here and a person decides whether it reaches the wallet."""

    name = "payments.DepositUnderReview"
    aggregate = "deposit_id"

    deposit_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class DepositCredited(Event):
    """New money of a client, from outside the house, is in the wallet. A transfer inside never emits this."""

    name = "payments.DepositCredited"
    aggregate = "deposit_id"

    deposit_id: UUID
    client_id: UUID
    amount: Decimal
    currency: str
    method: str
    first_deposit: bool


@dataclass(frozen=True, kw_only=True)
class DepositReturnRequested(Event):
    """The deposit was refused and goes back to where it came from."""

    name = "payments.DepositReturnRequested"
    aggregate = "deposit_id"

    deposit_id: UUID


@dataclass(frozen=True, kw_only=True)
class SuspenseOpened(Event):
    name = "payments.SuspenseOpened"
    aggregate = "item_id"

    item_id: UUID
    kind: str


@dataclass(frozen=True, kw_only=True)
class SuspenseReturned(Event):
    """Two people agreed that money of nobody goes back to its payer."""

    name = "payments.SuspenseReturned"
    aggregate = "item_id"

    item_id: UUID


@dataclass(frozen=True, kw_only=True)
class PayoutDestinationAdded(Event):
    """A client named a new place for payouts; its owner is told, in case it was somebody else."""

    name = "payments.PayoutDestinationAdded"
    aggregate = "client_id"

    client_id: UUID
    instrument_id: UUID


@dataclass(frozen=True, kw_only=True)
class WithdrawalRequested(Event):
    name = "payments.WithdrawalRequested"
    aggregate = "withdrawal_id"

    withdrawal_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class WithdrawalApproved(Event):
    name = "payments.WithdrawalApproved"
    aggregate = "withdrawal_id"

    withdrawal_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class WithdrawalSettled(Event):
    name = "payments.WithdrawalSettled"
    aggregate = "withdrawal_id"

    withdrawal_id: UUID
    client_id: UUID
    amount: Decimal
    currency: str
    method: str


@dataclass(frozen=True, kw_only=True)
class WithdrawalReleased(Event):
    """The money is free in the wallet again. `outcome` says why."""

    name = "payments.WithdrawalReleased"
    aggregate = "withdrawal_id"

    withdrawal_id: UUID
    client_id: UUID
    outcome: str


@dataclass(frozen=True, kw_only=True)
class TransferRequested(Event):
    name = "payments.TransferRequested"
    aggregate = "transfer_id"

    transfer_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class TransferCompleted(Event):
    """Money of a client changed its place inside the house: neither a deposit nor a withdrawal."""

    name = "payments.TransferCompleted"
    aggregate = "transfer_id"

    transfer_id: UUID
    client_id: UUID
    account_id: UUID
    direction: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class TransferCompensated(Event):
    """The money is back where it came from."""

    name = "payments.TransferCompensated"
    aggregate = "transfer_id"

    transfer_id: UUID
    client_id: UUID
    account_id: UUID
    direction: str
    amount: Decimal
    currency: str
