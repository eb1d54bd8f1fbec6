from __future__ import annotations

from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IbConfig(AppConfig):
    name = "apps.ib"
    verbose_name = _("Partners")

    def ready(self) -> None:
        from apps.clients.selectors import clients_of_staff, clients_of_user
        from apps.core.approvals import register_own_records
        from apps.ib import config, panels, personal_data, reactions  # noqa: F401
        from apps.ib.selectors import partners_of_clients
        from apps.users.selectors import register_membership

        personal_data.register()

        def memberships(user: object) -> tuple[str, frozenset[UUID]]:
            return "partner", partners_of_clients(clients_of_user(user.pk))  # type: ignore[attr-defined]

        register_membership("ib", memberships)
        register_own_records("ib", lambda user_id: partners_of_clients(clients_of_staff(user_id)))
