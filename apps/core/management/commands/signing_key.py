from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import signing


class Command(BaseCommand):
    help = "Prints the public keys that verify what this installation signs; --rotate replaces the active one."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--rotate", action="store_true", help="retire the key of the home folder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["rotate"]:
                old, new = signing.key_rotate()
                self.stdout.write(f"key {old} signs nothing more; key {new} signs from now on")
            active = signing.active_key_id()
        except signing.SigningKeyMissing as error:
            raise CommandError(str(error)) from error
        for key_id, public in signing.public_keys().items():
            state = "active" if key_id == active else "retired"
            self.stdout.write(f"{key_id} {state:7} {signing.public_text(public)}")
