from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "apps.users"
    verbose_name = _("Staff and roles")

    def ready(self) -> None:
        from apps.users import schema  # noqa: F401

        post_migrate.connect(_sync_permissions, sender=self)


def _sync_permissions(**_: Any) -> None:
    from apps.users.roles import sync_permissions

    sync_permissions()
