from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.approvals.people import directory
from apps.core.config import config_request
from apps.core.errors import DomainError


class Command(BaseCommand):
    help = (
        "Asks for a planned bundle to be applied; another person agrees under Approvals: "
        "config_apply bundle.json --base DIGEST --as user:7 --reason '…'"
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("bundle", type=Path)
        parser.add_argument("--base", required=True, help="the base that config_plan printed")
        parser.add_argument(
            "--as", dest="who", required=True, help="whose request it is: user:<id>"
        )
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = directory().find(options["who"])
        except KeyError:
            actor = None
        if actor is None:
            raise CommandError(f"{options['who']} is no active member of staff.")
        try:
            approval = config_request(
                raw=options["bundle"].read_bytes().strip(),
                base=options["base"],
                actor=actor,
                reason=options["reason"],
            )
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Asked for: {approval.title}. Somebody else decides under Approvals.")
