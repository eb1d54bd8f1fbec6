from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import heads, sealing
from apps.core.signing import SigningKeyMissing


class Command(BaseCommand):
    help = "Seals what waits, signs where the audit trail ends now, and prints the head as one line to keep elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        sealing.seal_all(reach=None)
        try:
            head = heads.head_sign()
        except SigningKeyMissing as error:
            raise CommandError(str(error)) from error
        if head is None:
            raise CommandError("nothing is sealed yet")
        self.stdout.write(head.line())
