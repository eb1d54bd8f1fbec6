"""`manage.py load_instruments`: the instrument master from a data file."""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.market.feeding import DATA_FILE
from apps.market.services import instruments_load


class Command(BaseCommand):
    help = "Create the instruments, calendars and venues of a data file that do not exist yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=DATA_FILE)
        parser.add_argument(
            "--overwrite", action="store_true", help="also bring existing rows back to the file"
        )
        parser.add_argument(
            "--around-the-clock",
            action="store_true",
            help="open every calendar all week, for a demonstration on a weekend",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = tomllib.loads(options["file"].read_text(encoding="utf-8"))
            report = instruments_load(
                data=data,
                actor=Actor.system("load_instruments"),
                reason=f"Loaded from {options['file'].name}",
                overwrite=options["overwrite"],
                around_the_clock=options["around_the_clock"] or settings.AROUND_THE_CLOCK,
            )
        except (OSError, tomllib.TOMLDecodeError, DomainError) as error:
            raise CommandError(f"{options['file'].name}: {error}") from error
        except KeyError as error:
            raise CommandError(f"{options['file'].name}: {error} is missing or unknown") from error
        done = {"created": report.created, "changed": report.changed}
        for word, counts in done.items():
            text = ", ".join(f"{number} {kind}" for kind, number in counts.items())
            self.stdout.write(f"{word}: {text or 'nothing'}")
