"""Account types and the group of each currency, carried between installations by their codes."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AccountType
from apps.core.config_rows import Rows, register_rows


def held(code: str) -> str:
    """A type is withdrawn from the catalogue while its accounts live on, so nothing holds it."""
    return "" if AccountType.objects.filter(code=code).exists() else _("it is not there")


register_rows(
    "accounts.types",
    gettext_lazy("Account types"),
    Rows(
        AccountType,
        ("code",),
        (
            "name",
            "description",
            "mode",
            "leverages",
            "entities",
            "categories",
            "min_kyc_level",
            "max_per_client",
            "position",
        ),
        relations={"server": "code"},
        retire={"offered": False},
    ),
    order=60,
    held=held,
)
