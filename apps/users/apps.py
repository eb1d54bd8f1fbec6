from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "apps.users"
    verbose_name = _("Staff and roles")

    def ready(self) -> None:
        from apps.core.approvals import register_directory, register_duties
        from apps.core.runs import register_actor_lookup
        from apps.users import config, panels, reactions, schema, services, welcome_mail  # noqa: F401
        from apps.users.directory import StaffDirectory, duties_together
        from apps.users.selectors import actor_now
        from apps.users.signin.freshness import stamp_sign_in
        from apps.users.signin.services import sign_out_record

        def on_signed_in(request: Any = None, **_: Any) -> None:
            if request is not None:
                stamp_sign_in(request)

        from apps.users.signin import lines, permissions  # noqa: F401
        from apps.users.signin import reactions as signin_reactions  # noqa: F401

        def on_signed_out(request: Any = None, user: Any = None, **_: Any) -> None:
            if user is not None and request is not None:
                sign_out_record(user_id=user.pk, session_key=request.session.session_key or "")

        user_logged_out.connect(on_signed_out, dispatch_uid="users.sign_out_record", weak=False)
        user_logged_in.connect(on_signed_in, dispatch_uid="users.stamp_sign_in", weak=False)
        register_actor_lookup(actor_now)
        register_directory(StaffDirectory())
        register_duties(duties_together)
        post_migrate.connect(_sync_permissions, sender=self)


def _sync_permissions(**_: Any) -> None:
    from apps.users.roles import sync_permissions

    sync_permissions()
