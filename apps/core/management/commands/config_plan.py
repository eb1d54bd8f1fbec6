from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import Actor
from apps.core.config import config_plan, read_bundle
from apps.core.errors import DomainError


class Command(BaseCommand):
    help = "Says what a bundle would change here, and against which state: config_plan bundle.json"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("bundle", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            state = read_bundle(options["bundle"].read_bytes().strip())
            plan = config_plan(state, actor=Actor.system("config_plan"))
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(plan.text())
