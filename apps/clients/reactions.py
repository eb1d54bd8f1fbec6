"""Mail that follows a change. A message that could not be sent is tried again with its event."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from apps.clients.events import (
    ClientActivated,
    EmailConfirmationRequested,
    RegistrationRepeated,
)
from apps.clients.models import Client, EmailConfirmation
from apps.clients.tokens import confirmation_token
from apps.core import clock
from apps.core.events import reacts_to
from apps.core.mail import send_mail_later
from apps.users.signin.events import PasswordResetRequested


@reacts_to(EmailConfirmationRequested, atomic=False)
def mail_confirmation_link(event: EmailConfirmationRequested) -> None:
    """A link that was used or replaced meanwhile is not mailed any more."""
    confirmation = (
        EmailConfirmation.objects.filter(pk=event.confirmation_id, used_at=None)
        .select_related("client__person", "client__entity")
        .first()
    )
    if confirmation is None or confirmation.expires_at <= clock.now():
        return
    client = confirmation.client
    send_mail_later(
        to=client.person.email,
        template="clients/mail/confirm",
        context={
            "client": client,
            "entity": client.entity,
            "token": confirmation_token(confirmation.id),
        },
        language=client.language,
    )


@reacts_to(RegistrationRepeated, atomic=False)
def mail_registered_already(event: RegistrationRepeated) -> None:
    user = get_user_model()._default_manager.get(pk=event.user_id)
    waiting = (
        EmailConfirmation.objects.filter(
            client__logins__user=user, used_at=None, expires_at__gt=clock.now()
        )
        .order_by("-created_at")
        .first()
    )
    send_mail_later(
        to=user.email,
        template="clients/mail/registered_already",
        context={"user": user, "token": confirmation_token(waiting.id) if waiting else ""},
        language=user.language,
    )


@reacts_to(PasswordResetRequested, atomic=False)
def mail_password_reset(event: PasswordResetRequested) -> None:
    user = get_user_model()._default_manager.get(pk=event.user_id)
    send_mail_later(
        to=user.email,
        template="clients/mail/password_reset",
        context={
            "user": user,
            "uid": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        },
        language=user.language,
    )


@reacts_to(ClientActivated, atomic=False)
def mail_welcome(event: ClientActivated) -> None:
    client = Client.objects.select_related("person", "entity").get(pk=event.client_id)
    send_mail_later(
        to=client.person.email,
        template="clients/mail/welcome",
        context={"client": client, "entity": client.entity},
        language=client.language,
    )
