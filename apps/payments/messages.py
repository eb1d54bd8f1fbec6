"""What clients are told about their money."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.clients.messages import EXAMPLE, LINK, NAME
from apps.core.mail import MailKind, register_mail
from apps.core.notifications import Audience, Kind, register_kind

MONEY = {**NAME, "number": "A1B2C3D4", "amount": "500.00 EUR", "link": EXAMPLE}
MUST = LINK | {"amount"}

DEPOSIT_CREDITED = register_mail(
    MailKind("payments.deposit_credited", _("Deposit credited"), MONEY, MUST)
)
WITHDRAWAL_REQUESTED = register_mail(
    MailKind("payments.withdrawal_requested", _("Withdrawal requested"), MONEY, MUST)
)
WITHDRAWAL_APPROVED = register_mail(
    MailKind("payments.withdrawal_approved", _("Withdrawal approved"), MONEY, MUST)
)
WITHDRAWAL_RELEASED = register_mail(
    MailKind(
        "payments.withdrawal_released",
        _("Withdrawal refused, cancelled or returned"),
        {**MONEY, "outcome": "refused"},
        MUST | {"outcome"},
    )
)
WITHDRAWAL_PAID = register_mail(
    MailKind(
        "payments.withdrawal_paid",
        _("Withdrawal paid"),
        {**MONEY, "destination": "DE89 •••• 3000"},
        MUST,
    )
)
DESTINATION_ADDED = register_mail(
    MailKind(
        "payments.destination_added",
        _("Payout destination added"),
        {**NAME, "destination": "DE89 •••• 3000", "link": EXAMPLE},
        LINK | {"destination"},
    )
)

CREDITED = register_kind(
    Kind(
        "payments.credited", _("A deposit arrived"), (Audience.CLIENT,), "south_west", mailed=False
    )
)
PAID = register_kind(
    Kind(
        "payments.paid", _("A withdrawal moved on"), (Audience.CLIENT,), "north_east", mailed=False
    )
)
DESTINATION = register_kind(
    Kind(
        "payments.destination",
        _("A payout destination was added"),
        (Audience.CLIENT,),
        "account_balance_wallet",
        mailed=False,
        required=True,
    )
)
