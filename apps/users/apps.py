from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "apps.users"
    verbose_name = _("Staff and roles")

    def ready(self) -> None:
        from apps.core.approvals import register_directory
        from apps.core.runs import register_actor_lookup
        from apps.users import schema, services  # noqa: F401
        from apps.users.directory import StaffDirectory
        from apps.users.selectors import actor_now
        from apps.users.signin.freshness import stamp_sign_in

        def on_signed_in(request: Any = None, **_: Any) -> None:
            if request is not None:
                stamp_sign_in(request)

        from apps.users.signin import permissions, reactions  # noqa: F401

        user_logged_in.connect(on_signed_in, dispatch_uid="users.stamp_sign_in", weak=False)
        register_actor_lookup(actor_now)
        register_directory(StaffDirectory())
        post_migrate.connect(_sync_permissions, sender=self)


def _sync_permissions(**_: Any) -> None:
    from apps.users.roles import sync_permissions

    sync_permissions()
