"""Personal data for those whose role does not include seeing it."""

from __future__ import annotations

from typing import Any

from apps.clients.models import Person
from apps.clients.permissions import VIEW_PERSONAL_DATA
from apps.core.actor import Actor

HIDDEN = "•••"


def masked(text: str, *, keep: int = 2) -> str:
    """The first characters, enough to compare with what somebody reads out."""
    return f"{text[:keep]}{HIDDEN}" if text else ""


def masked_email(email: str) -> str:
    local, _, domain = email.partition("@")
    return f"{masked(local, keep=1)}@{domain}" if domain else masked(email)


def personal_facts(person: Person, actor: Actor) -> dict[str, Any]:
    """What this actor may read of a person, and whether any of it is masked."""
    if actor.allows(VIEW_PERSONAL_DATA):
        street = [person.address_line1, person.address_line2]
        return {
            "masked": False,
            "email": person.email,
            "phone": person.phone,
            "date_of_birth": person.date_of_birth,
            "address": ", ".join(part for part in street if part),
            "city": f"{person.postal_code} {person.city}".strip(),
            "tax_id": person.tax_id,
        }
    return {
        "masked": True,
        "email": masked_email(person.email),
        "phone": masked(person.phone, keep=3),
        "date_of_birth": person.date_of_birth.year if person.date_of_birth else "",
        "address": HIDDEN if person.address_line1 else "",
        "city": person.city,
        "tax_id": masked(person.tax_id),
    }
