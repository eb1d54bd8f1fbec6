from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import heads, sealing
from apps.core.integrity import integrity_verify


class Command(BaseCommand):
    help = (
        "Proves that no audit record was changed, deleted, moved, added later or rolled back since it was sealed, "
        "and names each one that was. Heads of the database and of BROKEROS_AUDIT_HEADS are always held against it."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a file with signed heads that was kept elsewhere, one JSON object in each line",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        given = []
        for path in options["head"]:
            if not path.is_file():
                raise CommandError(f"there is no file {path}")
            given += list(heads.heads_in(path.read_text()))
        breaks = integrity_verify(given=given)
        for found in breaks:
            self.stderr.write(str(found))
        if breaks:
            raise CommandError(f"the audit trail is broken in {len(breaks)} places")
        sealed, waiting = sealing.sealed_and_waiting()
        self.stdout.write(f"audit trail intact: {sealed} records sealed, {waiting} waiting")
