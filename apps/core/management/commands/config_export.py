from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import Actor
from apps.core.config import config_export
from apps.core.errors import DomainError


class Command(BaseCommand):
    help = "Writes this installation's configuration, signed: config_export [KIND …] > bundle.json"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "kinds", nargs="*", help="e.g. users.roles; all kinds when none is named"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            raw = config_export(actor=Actor.system("config_export"), kinds=options["kinds"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        stream = getattr(self.stdout, "_out", sys.stdout)
        binary = getattr(stream, "buffer", None)
        if binary is not None:
            binary.write(raw + b"\n")
        else:
            stream.write(raw.decode() + "\n")
