"""`manage.py seed_demo`: fifty clients with a past of six weeks. Does nothing when there are people already."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand

from apps.portal.seed import seed_demo


class Command(BaseCommand):
    help = "Make the demo's staff, partners and clients by running the real services over the last six weeks."

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        seeded = seed_demo()
        if not seeded.clients:
            self.stdout.write("There are people already; nothing was changed.")
            return
        self.stdout.write(
            f"{seeded.clients} clients, {seeded.steps} scenes, {time.monotonic() - began:.0f} s"
        )
