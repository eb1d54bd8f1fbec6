"""The back office's pages of money."""

from apps.payments.admin.house import (
    PaymentMethodAdmin,
    PaymentProviderAdmin,
    SuspenseItemAdmin,
    WebhookReceiptAdmin,
)
from apps.payments.admin.money import DepositAdmin, TransferAdmin, WithdrawalAdmin

__all__ = [
    "DepositAdmin",
    "PaymentMethodAdmin",
    "PaymentProviderAdmin",
    "SuspenseItemAdmin",
    "TransferAdmin",
    "WebhookReceiptAdmin",
    "WithdrawalAdmin",
]
