"""What may leave of deposits and withdrawals as a file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.exports import Column, Export, register_export
from apps.payments.permissions import EXPORT_PAYMENTS


def _display(name: str) -> Any:
    return lambda row: getattr(row, f"get_{name}_display")()


_MONEY = (
    Column("id", _("Reference")),
    Column("created_at", _("Asked (UTC)")),
    Column("client", _("Client"), "client.number"),
    Column("amount", _("Amount")),
    Column("currency", _("Currency"), lambda row: row.amount.currency),
    Column("fee", _("Fee"), extra=True),
    Column("method", _("Method"), _display("method")),
)

DEPOSITS = register_export(
    Export(
        "payments.Deposit",
        EXPORT_PAYMENTS,
        (
            *_MONEY,
            Column("payment", _("Payment"), _display("payment")),
            Column("credit", _("Credit"), _display("credit")),
            Column("settlement", _("Settlement"), _display("settlement")),
            Column("paid_at", _("Paid (UTC)")),
            Column("credited_at", _("Credited (UTC)")),
            Column("why", _("Why"), extra=True),
        ),
        related=("client",),
    )
)

WITHDRAWALS = register_export(
    Export(
        "payments.Withdrawal",
        EXPORT_PAYMENTS,
        (
            *_MONEY,
            Column("state", _("State"), _display("state")),
            Column("outcome", _("Ended as"), lambda row: row.get_outcome_display() if row.outcome else ""),
            Column("provider", _("Provider"), "provider.code"),
            Column("provider_payout_id", _("Provider's id"), extra=True),
            Column("approvals", _("Approvals needed"), "approvals_required", extra=True),
            Column("approved_at", _("Approved (UTC)")),
            Column("sent_at", _("Sent (UTC)")),
            Column("ended_at", _("Ended (UTC)")),
            Column("why", _("Why"), extra=True),
        ),
        related=("client", "provider"),
    )
)  # fmt: skip
