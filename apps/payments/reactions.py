"""What follows once a change of money is committed. These talk to the outside, so they are safe to repeat."""

from __future__ import annotations

from apps.core.events import reacts_to
from apps.payments.events import (
    DepositReturnRequested,
    SuspenseReturned,
    TransferRequested,
    WebhookReceived,
    WithdrawalApproved,
)
from apps.payments.services.deposits import deposit_send_back
from apps.payments.services.payouts import withdrawal_submit
from apps.payments.services.suspense import suspense_send_back
from apps.payments.services.transfers import transfer_advance
from apps.payments.services.webhooks import webhook_process


@reacts_to(WebhookReceived, atomic=False)
def read_what_the_provider_has(event: WebhookReceived) -> None:
    webhook_process(receipt_id=event.receipt_id)


@reacts_to(WithdrawalApproved, atomic=False)
def send_the_payout(event: WithdrawalApproved) -> None:
    withdrawal_submit(withdrawal_id=event.withdrawal_id)


@reacts_to(DepositReturnRequested, atomic=False)
def send_the_deposit_back(event: DepositReturnRequested) -> None:
    deposit_send_back(deposit_id=event.deposit_id)


@reacts_to(SuspenseReturned, atomic=False)
def send_back_what_belongs_to_nobody(event: SuspenseReturned) -> None:
    suspense_send_back(item_id=event.item_id)


@reacts_to(TransferRequested, atomic=False)
def carry_the_transfer_out(event: TransferRequested) -> None:
    transfer_advance(transfer_id=event.transfer_id)
