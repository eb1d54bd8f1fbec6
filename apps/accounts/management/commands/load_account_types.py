from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.catalogue import DATA, read_catalogue
from apps.accounts.errors import CatalogueInvalid
from apps.accounts.services import catalogue_load
from apps.core.actor import Actor


class Command(BaseCommand):
    help = "Load platforms, groups and account types from a catalogue file. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=DATA / "catalogue.toml")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            catalogue = read_catalogue(options["file"])
        except CatalogueInvalid as error:
            raise CommandError(str(error)) from error
        changed = catalogue_load(
            catalogue=catalogue,
            actor=Actor.system("catalogue"),
            reason=f"loaded {options['file'].name}",
        )
        self.stdout.write(f"{len(changed)} created or changed")
