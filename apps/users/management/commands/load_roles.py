from typing import Any

from django.core.management.base import BaseCommand

from apps.users.roles import declared_roles, load_roles


class Command(BaseCommand):
    help = "Brings the roles in the database to what apps/users/data/roles.toml says."

    def handle(self, *args: Any, **options: Any) -> None:
        load_roles()
        self.stdout.write(f"{len(declared_roles())} roles loaded")
