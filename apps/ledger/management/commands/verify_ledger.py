from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from apps.ledger.verification import INVARIANTS, violations


class Command(BaseCommand):
    help = "Recompute the invariants of the books and name whatever breaks one."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            found = violations()
        broken = {finding.invariant for finding in found}
        for invariant in INVARIANTS:
            mark = "BROKEN" if invariant.code in broken else "ok"
            self.stdout.write(f"{invariant.code:<4} {mark:<7} {invariant.promise}")
        for finding in found:
            self.stderr.write(str(finding))
        if found:
            raise CommandError(f"{len(found)} violations")
        self.stdout.write("The books are sound.")
