from typing import Any

from django.core.management.base import BaseCommand

from apps.core.actor import Actor
from apps.core.approvals import policies_load


class Command(BaseCommand):
    help = "Brings what apps/core/data/approvals.toml says about who must approve what into force."

    def handle(self, *args: Any, **options: Any) -> None:
        made = policies_load(actor=Actor.system("load_approvals"))
        self.stdout.write(f"{made} approval policies are new")
