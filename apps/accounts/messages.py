"""What clients are told about their trading accounts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.clients.messages import EXAMPLE, LINK, NAME
from apps.core.mail import MailKind, register_mail
from apps.core.notifications import Audience, Kind, register_kind

OPENED = register_mail(
    MailKind(
        "accounts.opened",
        _("Trading account opened"),
        {
            **NAME,
            "login": "7000123",
            "type": "Standard",
            "currency": "USD",
            "leverage": "30",
            "link": EXAMPLE,
        },
        LINK,
    )
)

ACCOUNT_OPENED = register_kind(
    Kind(
        "accounts.opened",
        _("A trading account was opened"),
        (Audience.CLIENT,),
        "account_balance",
        mailed=False,
    )
)
