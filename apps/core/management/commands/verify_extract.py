from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import signing
from apps.core.extracts import extract_problems


class Command(BaseCommand):
    help = "Proves a signed extract of the audit trail. Needs the file and the public key, no database."
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
            text = options["file"].read_text()
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        problems = extract_problems(text, keys=keys)
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError("this extract does not prove itself")
        self.stdout.write("the extract is whole and its signature is genuine")
