from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.core.actor import Actor
from apps.payments.services.providers import providers_load, providers_read


class Command(BaseCommand):
    help = "Bring payment providers and methods to what data/providers.toml says."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = providers_load(
            rows=providers_read(), actor=Actor.system("load_providers"), reason="catalogue loaded"
        )
        self.stdout.write(f"{len(changed)} created or changed.")
