"""`manage.py prepare_demo`: tables, shared data and, once, the demo's people. Safe to repeat."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

SHARED_DATA = ("load_roles", "load_rules", "load_instruments", "load_entities")
SEED = "seed_demo"


class Command(BaseCommand):
    help = "Migrate, load the data files and seed the demo when the database is empty."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        known = get_commands()
        for name in SHARED_DATA:
            if name in known:
                call_command(name)
        if SEED in known and not get_user_model().objects.exists():
            self.stdout.write("Making the demo's people and their history …")
            call_command(SEED)
