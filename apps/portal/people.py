"""The people of the demo, shown on its front door so that nobody has to look for a login."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PASSWORD = "demo-Broker-2026"  # noqa: S105  printed on the demo's front door


@dataclass(frozen=True, slots=True)
class DemoPerson:
    face: str
    email: str
    role: str | Promise


DEMO_PEOPLE = (
    DemoPerson("client", "ana@client.example", _("Retail client in the EU")),
    DemoPerson("client", "omar@client.example", _("Client of the international company")),
    DemoPerson("partner", "ivy@partner.example", _("Master introducing broker")),
    DemoPerson("partner", "sub@partner.example", _("Sub-partner of Ivy")),
    DemoPerson("staff", "compliance@demo.brokeros.example", _("Compliance: verification")),
    DemoPerson("staff", "finance@demo.brokeros.example", _("Finance: withdrawals, first approval")),
    DemoPerson(
        "staff", "finance2@demo.brokeros.example", _("Finance: withdrawals, second approval")
    ),
    DemoPerson("staff", "dealer@demo.brokeros.example", _("Dealing: exposure and orders")),
    DemoPerson("staff", "risk@demo.brokeros.example", _("Risk")),
    DemoPerson("staff", "partners@demo.brokeros.example", _("Partner manager")),
    DemoPerson(
        "staff", "auditor@demo.brokeros.example", _("Auditor: sees everything, changes nothing")
    ),
    DemoPerson("staff", "admin@demo.brokeros.example", _("System administrator")),
)
