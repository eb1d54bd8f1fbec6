from __future__ import annotations

from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClientsConfig(AppConfig):
    name = "apps.clients"
    verbose_name = _("Clients")

    def ready(self) -> None:
        from apps.clients import (  # noqa: F401
            config,
            leavers,
            panels,
            personal_data,
            queues,
            reactions,
        )
        from apps.clients.messages import letterhead_of_login
        from apps.clients.models import Client, ClientShare
        from apps.clients.selectors import clients_of_staff, clients_of_user, login_barred
        from apps.core.approvals import register_own_records
        from apps.core.mail import register_letterhead
        from apps.core.querysets import register_client_scope, register_shares
        from apps.users.selectors import register_membership, register_sign_in_check

        def memberships(user: object) -> tuple[str, frozenset[UUID]]:
            return "client", frozenset(clients_of_user(user.pk))  # type: ignore[attr-defined]

        def barred(user: object) -> object:
            closed = _("This login is closed at the moment. Please write to our support.")
            return closed if login_barred(user.pk) else None  # type: ignore[attr-defined]

        register_membership("clients", memberships)
        register_own_records("clients", clients_of_staff)
        register_sign_in_check("clients", barred)
        register_letterhead(letterhead_of_login)
        personal_data.register()
        register_client_scope(lambda actor: Client.objects.visible_to(actor).values("pk"))
        register_shares(
            "client",
            lambda user_id: (
                ClientShare.objects.in_force()
                .filter(user_id=user_id)
                .values_list("content_object_id", flat=True)
            ),
        )
