"""What partners are told."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.clients.messages import EXAMPLE, LINK, NAME
from apps.core.mail import MailKind, register_mail
from apps.core.notifications import Audience, Kind, register_kind

PARTNER_ACTIVATED = register_mail(
    MailKind("ib.partner_activated", _("Partnership active"), {**NAME, "link": EXAMPLE}, LINK)
)
PAYOUT_PAID = register_mail(
    MailKind(
        "ib.payout_paid",
        _("Partner payout paid"),
        {**NAME, "number": "P-2026-01", "amount": "120.00 USD", "link": EXAMPLE},
        LINK | {"amount"},
    )
)

COMMISSION_PAID = register_kind(
    Kind("ib.payout_paid", _("Commission was paid"), (Audience.PARTNER,), "payments", mailed=False)
)
