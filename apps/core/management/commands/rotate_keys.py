"""Wrap every data key by the newest key of the ring, and on demand seal personal data under new data keys."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.privacy.keyring import keyring
from apps.core.privacy.rotation import replace_data_keys, rewrap, wrapped_by


class Command(BaseCommand):
    help = (
        "Change the keys of personal data while the system runs; stopped, it goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data-keys-before",
            metavar="YYYY-MM-DD",
            help="also replace the data keys that were made before this day, and seal their rows anew",
        )
        parser.add_argument("--batch", type=int, default=200, help="rows in one transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        for step in rewrap(batch=options["batch"]):
            self.stdout.write(f"{step.what}: {step.done}")
        if options["data_keys_before"]:
            for step in replace_data_keys(
                older_than=self._day(options["data_keys_before"]), batch=options["batch"]
            ):
                self.stdout.write(f"{step.what}: {step.done}")
        left = wrapped_by()
        audit(
            actor=Actor.system("rotate_keys"),
            action="keys.rotate",
            after={"wrapped_by": left, "current": keyring().current_id},
            reason="manage.py rotate_keys",
        )
        self.stdout.write(
            "Data keys wrapped by: "
            + (", ".join(f"{kek} {count}" for kek, count in left.items()) or "none")
        )

    def _day(self, text: str) -> datetime:
        try:
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise CommandError("--data-keys-before is a day, written YYYY-MM-DD.") from error
