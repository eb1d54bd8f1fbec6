"""What the owner of a login is told about it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.mail import MailKind, register_mail
from apps.core.notifications import Audience, Kind, register_kind

EVERYBODY = (Audience.STAFF, Audience.CLIENT, Audience.PARTNER)
LINK = frozenset({"link"})
EXAMPLE = "https://broker.example/"

NEW_DEVICE = register_mail(
    MailKind(
        "users.new_device",
        _("A new device signed in"),
        {"device": "Firefox, Windows", "at": "2026-01-06 10:00", "link": EXAMPLE},
        LINK,
    )
)
SIGN_IN_SHUT = register_mail(
    MailKind(
        "users.sign_in_shut",
        _("Too many wrong passwords"),
        {"minutes": "15", "link": EXAMPLE},
        LINK,
    )
)
CREDENTIALS_CHANGED = register_mail(
    MailKind(
        "users.credentials_changed",
        _("Password or second factor changed"),
        {"what": "The password of your login was changed.", "link": EXAMPLE},
        LINK | {"what"},
    )
)

SIGN_IN = register_kind(
    Kind(
        "users.sign_in",
        _("Something about your sign-in"),
        EVERYBODY,
        "shield",
        mailed=False,
        required=True,
    )
)
