"""`manage.py prepare`: tables and shared data. Safe to repeat; `--demo` adds the demo's people once."""

from __future__ import annotations

import io
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

SHARED_DATA = (
    "load_roles",
    "load_approvals",
    "load_rules",
    "load_instruments",
    "load_entities",
    "load_account_types",
    "load_providers",
)
SEED = "seed_demo"


class Command(BaseCommand):
    help = "Migrate and load the data files; with --demo also seed an empty database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="seed the demo's people once")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        known = get_commands()
        # First the demo, because its past needs the data files in force since long before today.
        if demo and SEED in known and not get_user_model().objects.exists():
            self.stdout.write("Making the demo's people and their history ...")
            call_command(SEED)
        for name in SHARED_DATA:
            if name in known:
                call_command(name, stdout=io.StringIO())
        self.stdout.write(
            "Tables, roles, approval policies, rules, instruments, entities, account types and providers are in place."
        )
