from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.core.extracts import ExtractFilter, audit_extract


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else timezone.make_aware(found)


class Command(BaseCommand):
    help = "Prints a signed extract of the audit trail, one JSON object in each line; verify it with verify_extract."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--client", type=UUID, help="everything of this client")
        parser.add_argument("--subject", default="", help="the id of what the records are about")
        parser.add_argument("--actor", default="", help="who acted, e.g. user:7")
        parser.add_argument("--action", default="", help="e.g. withdrawal.approve")
        parser.add_argument("--request", default="", help="the id of one request")
        parser.add_argument("--since", type=moment, help="from this moment on (ISO 8601)")
        parser.add_argument("--until", type=moment, help="before this moment")
        parser.add_argument("--reason", required=True, help="why it is taken; goes on record")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = ExtractFilter(
            client_id=options["client"],
            subject_id=options["subject"],
            actor_id=options["actor"],
            action=options["action"],
            request_id=options["request"],
            since=options["since"],
            until=options["until"],
        )
        try:
            text = audit_extract(
                wanted=wanted, actor=Actor.system("console"), reason=options["reason"]
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text, ending="")
