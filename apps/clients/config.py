"""The licensed companies, carried between installations by their code."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clients.models import Client, LegalEntity
from apps.core.config_rows import Rows, register_rows


def held(code: str) -> str:
    """A company that still serves clients takes no new ones only when staff say so."""
    count = Client.objects.filter(entity__code=code).count()
    return _("%(n)d clients are booked there") % {"n": count} if count else ""


register_rows(
    "clients.entities",
    gettext_lazy("Legal entities"),
    Rows(
        LegalEntity,
        ("code",),
        (
            "name",
            "regime",
            "regulator",
            "base_currency",
            "licence_text",
            "risk_warning",
            "footer",
            "support_email",
            "losing_accounts_percent",
        ),
        retire={"active": False},
    ),
    order=30,
    held=held,
)
