"""Make the legal entities and their agreements agree with the data files."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand

from apps.clients.models import LegalEntity
from apps.clients.selectors import DATA, onboarding_schemas
from apps.clients.services import agreement_publish
from apps.clients.services.retention import rules_load
from apps.core.actor import Actor
from apps.core.commands import command


class Command(BaseCommand):
    help = "Loads legal entities and agreements from apps/clients/data; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        entities, agreements = entities_load(actor=Actor.system("load_entities"))
        self.stdout.write(
            f"{entities} entities, {agreements} agreements, {len(onboarding_schemas())} forms"
        )


@command
def entities_load(*, actor: Actor) -> tuple[int, int]:
    """Load everything or nothing. Raises `Conflict` when a published text was altered."""
    raw_entities = _read("entities.toml")["entities"]
    for raw in raw_entities:
        _entity(dict(raw), actor)
    count = 0
    for raw in _read("agreements/agreements.toml")["agreements"]:
        for code in raw["entities"]:
            agreement_publish(
                entity=LegalEntity.objects.get(code=code),
                code=raw["code"],
                version=raw["version"],
                language=raw.get("language", "en"),
                title=raw["title"],
                body=raw["body"].strip(),
                required=raw.get("required", True),
                actor=actor,
            )
            count += 1
    rules_load(actor=actor)
    return len(raw_entities), count


def _entity(raw: dict[str, Any], actor: Actor) -> None:
    percent = raw.pop("losing_accounts_percent", None)
    raw["losing_accounts_percent"] = Decimal(percent) if percent else None
    raw["risk_warning"] = raw["risk_warning"].format(percent=percent)
    entity = LegalEntity.objects.filter(code=raw["code"]).first() or LegalEntity()
    if all(getattr(entity, name) == value for name, value in raw.items()):
        return
    for name, value in raw.items():
        setattr(entity, name, value)
    entity.save_as(actor, "loaded from data file", action="entity.load")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text("utf-8"))
