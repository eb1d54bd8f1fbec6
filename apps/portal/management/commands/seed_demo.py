"""`manage.py seed_demo`: fifty clients with a past of six weeks. Does nothing when there are people already."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.portal.seed import seed_demo
from apps.portal.seed.run import is_seeded
from apps.rules.models import RuleSet

YOUNG = timedelta(days=30)


class Command(BaseCommand):
    help = "Make the demo's staff, partners and clients by running the real services over the last six weeks."

    def handle(self, *args: Any, **options: Any) -> None:
        oldest = RuleSet.objects.order_by("created_at").values_list("created_at", flat=True).first()
        if not is_seeded() and oldest is not None and oldest > clock.now() - YOUNG:
            raise CommandError(
                "This database was prepared without --demo: its rules are in force only since today, and the "
                "demo's story begins six weeks ago. Start from an empty one with: manage.py prepare --demo"
            )
        began = time.monotonic()
        seeded = seed_demo()
        if not seeded.clients:
            self.stdout.write("There are people already; nothing was changed.")
            return
        self.stdout.write(
            f"{seeded.clients} clients, {seeded.steps} scenes, {time.monotonic() - began:.0f} s"
        )
