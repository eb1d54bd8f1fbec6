"""What may leave of clients as a file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.clients.permissions import EXPORT_CLIENTS
from apps.core.exports import Column, Export, register_export


def _display(name: str) -> Any:
    return lambda row: getattr(row, f"get_{name}_display")()


CLIENTS = register_export(
    Export(
        "clients.Client",
        EXPORT_CLIENTS,
        (
            Column("number", _("Number")),
            Column("first_name", _("First name"), "person.first_name", personal="clients.Person.first_name"),
            Column("last_name", _("Last name"), "person.last_name", personal="clients.Person.last_name"),
            Column("email", _("E-mail"), "person.email", personal="clients.Person.email"),
            Column("phone", _("Phone"), "person.phone", personal="clients.Person.phone", extra=True),
            Column("entity", _("Entity"), "entity.code"),
            Column("country", _("Country")),
            Column("language", _("Language"), extra=True),
            Column("category", _("Category"), _display("category")),
            Column("lifecycle", _("Lifecycle"), _display("lifecycle")),
            Column("kyc", _("Verification"), _display("kyc_status")),
            Column("risk", _("Risk rating"), _display("risk_rating"), extra=True),
            Column("owner", _("Owner"), lambda row: str(row.owner) if row.owner_id else ""),
            Column("desk", _("Desk"), lambda row: str(row.desk) if row.desk_id else ""),
            Column("partner_code", _("Partner code"), extra=True),
            Column("created_at", _("Registered (UTC)")),
            Column("activated_at", _("Activated (UTC)"), extra=True),
        ),
        related=("person", "entity", "owner", "desk"),
    )
)  # fmt: skip
