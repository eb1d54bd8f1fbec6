"""`manage.py replay_engine --verify`: the journal, replayed in a fresh engine, gives the state that the tables hold."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.orders.host.journal import verify


class Command(BaseCommand):
    help = "Replay every engine's journal and compare the result with the stored orders, positions and balances."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shard", choices=settings.ENGINE_SHARDS, help="only this shard")
        parser.add_argument(
            "--verify", action="store_true", help="fail unless everything is identical"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for shard in [options["shard"]] if options["shard"] else settings.ENGINE_SHARDS:
            report = verify(shard)
            self.stdout.write(
                f"{shard}: {report.commands} commands replayed, "
                f"replayed {report.replayed_digest}, stored {report.stored_digest}, "
                f"{len(report.different_answers)} answers differ"
            )
            for line in (*report.differences, *report.different_answers)[:20]:
                self.stdout.write(f"  {line}")
            failed |= not report.identical
        if failed and options["verify"]:
            raise CommandError("The journal and the tables do not agree.")
