"""`manage.py verify_engine`: what the engine holds for each account is what the books say."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.orders.models import EngineAccount
from apps.orders.verification import engine_breaks


class Command(BaseCommand):
    help = "Compare the engine's balance of every account with the ledger's."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(engine_breaks())
        for each in found:
            self.stderr.write(str(each))
        if found:
            raise CommandError(f"{len(found)} accounts differ from the books.")
        self.stdout.write(f"{EngineAccount.objects.count()} accounts agree with the books.")
