from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import sealing


class Command(BaseCommand):
    help = "Proves that no audit record was changed, deleted or moved since it was sealed."

    def handle(self, *args: Any, **options: Any) -> None:
        while sealing.seal(reach=None):
            pass
        breaks = list(sealing.verify())
        for found in breaks:
            self.stderr.write(
                f"{found.kind}: audit record {found.record_id}, seal {found.position}"
            )
        if breaks:
            raise CommandError(f"the audit trail is broken in {len(breaks)} places")
        sealed, waiting = sealing.sealed_and_waiting()
        self.stdout.write(f"audit trail intact: {sealed} records sealed, {waiting} waiting")
