from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import signing
from apps.core.papers import paper_problems


class Command(BaseCommand):
    help = "Proves a signed document (a decision receipt, a withdrawal dossier). Needs no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="a public key as `signing_key` prints it; without any, those of this installation count",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            keys = signing.keys_from(options["key"]) if options["key"] else None
            raw = options["file"].read_bytes()
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        problems = paper_problems(raw, keys=keys)
        if problems:
            raise CommandError("; ".join(problems))
        self.stdout.write("the document is genuine: its content is signed and its pages show it")
