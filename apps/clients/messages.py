"""What clients are told: by e-mail from the company that serves them, and inside their pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.clients.models import Client, ClientLogin, LegalEntity
from apps.core.actor import Actor
from apps.core.mail import Addressee, Letterhead, MailKind, mail_send, register_mail
from apps.core.notifications import Kind, notify

EXAMPLE = "https://broker.example/"
NAME = {"name": "Lena"}
LINK = frozenset({"link"})

CONFIRM = register_mail(
    MailKind("clients.confirm", _("Confirm the address"), {**NAME, "link": EXAMPLE}, LINK)
)
REGISTERED_ALREADY = register_mail(
    MailKind(
        "clients.registered_already",
        _("Registered a second time"),
        {"link": EXAMPLE, "password_link": EXAMPLE},
        LINK,
    )
)
REGISTERED_UNCONFIRMED = register_mail(
    MailKind(
        "clients.registered_unconfirmed",
        _("Registered a second time, address not confirmed"),
        {"link": EXAMPLE},
        LINK,
    )
)
PASSWORD_RESET = register_mail(
    MailKind("clients.password_reset", _("Choose a new password"), {"link": EXAMPLE}, LINK)
)
APPLICATION_RECEIVED = register_mail(
    MailKind(
        "clients.application_received", _("Application received"), {**NAME, "link": EXAMPLE}, LINK
    )
)
WELCOME = register_mail(
    MailKind("clients.welcome", _("Welcome: verified and active"), {**NAME, "link": EXAMPLE}, LINK)
)


def page(name: str, *args: Any) -> str:
    """The full address of a page of the portal, for a message."""
    return settings.PUBLIC_URL + reverse(name, args=args)


def letterhead(entity: LegalEntity) -> Letterhead:
    """The company in its own words: licence and warning as the regulator reads them."""
    return Letterhead(
        company=entity.name,
        entity=entity.code,
        support=entity.support_email,
        footer=entity.footer or entity.licence_text,
        risk_warning=entity.risk_warning,
    )


def letterhead_of_login(user_id: int) -> tuple[Letterhead, UUID | None] | None:
    """The company that serves the client of this login; None for a login of no client."""
    login = (
        ClientLogin.objects.filter(user_id=user_id, active=True)
        .select_related("client__entity")
        .order_by("created_at")
        .first()
    )
    return (letterhead(login.client.entity), login.client_id) if login is not None else None


def mail_client(
    kind: MailKind, *, client_id: UUID, values: Mapping[str, Any], key: str = ""
) -> bool:
    """Write to a client in their language, from the company that serves them. `name` is filled in."""
    client = Client.objects.select_related("person", "entity").get(pk=client_id)
    reader = Addressee(
        address=client.person.email,
        language=client.language,
        letterhead=letterhead(client.entity),
        client_id=client.pk,
    )
    return mail_send(kind, to=reader, values={"name": client.person.first_name, **values}, key=key)


def notify_client(
    client_id: UUID, *, kind: Kind, title: Any, actor: Actor, url: str = "", key: str = ""
) -> None:
    """Tell everybody who may sign in for this client, inside the pages."""
    logins = ClientLogin.objects.filter(client_id=client_id, active=True)
    notify(
        user_ids=logins.values_list("user_id", flat=True),
        kind=kind,
        title=title,
        url=url,
        actor=actor,
        key=key,
    )
