"""What is stored about money on its way."""

from apps.payments.models.deposit import Deposit, DepositAttempt, DepositSettlement
from apps.payments.models.provider import (
    PaymentInstrument,
    PaymentMethod,
    PaymentProvider,
    WebhookOutcome,
    WebhookReceipt,
)
from apps.payments.models.suspense import SuspenseItem
from apps.payments.models.transfer import Transfer
from apps.payments.models.withdrawal import Withdrawal, WithdrawalCheck

__all__ = [
    "Deposit",
    "DepositAttempt",
    "DepositSettlement",
    "PaymentInstrument",
    "PaymentMethod",
    "PaymentProvider",
    "SuspenseItem",
    "Transfer",
    "WebhookOutcome",
    "WebhookReceipt",
    "Withdrawal",
    "WithdrawalCheck",
]
