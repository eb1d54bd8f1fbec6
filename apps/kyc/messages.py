"""What clients are told about their verification."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.clients.messages import EXAMPLE, LINK, NAME
from apps.core.mail import MailKind, register_mail
from apps.core.notifications import Audience, Kind, register_kind

SOMETHING_TO_DO = register_mail(
    MailKind(
        "kyc.something_to_do",
        _("Documents or information requested"),
        {
            **NAME,
            "requested": "Passport: It has expired.",
            "comment": "Both pages, please.",
            "link": EXAMPLE,
        },
        LINK,
    )
)
APPROVED = register_mail(
    MailKind("kyc.approved", _("Documents approved"), {**NAME, "link": EXAMPLE}, LINK)
)
REJECTED = register_mail(MailKind("kyc.rejected", _("Application refused"), NAME))

DECIDED = register_kind(
    Kind(
        "kyc.decided",
        _("Your verification moved on"),
        (Audience.CLIENT,),
        "verified_user",
        mailed=False,
    )
)
