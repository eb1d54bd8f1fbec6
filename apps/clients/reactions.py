"""Mail that follows a change. A message that could not be sent is tried again with its event."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.clients.enums import PrivacyRequestKind
from apps.clients.events import (
    ClientActivated,
    ClientShared,
    EmailConfirmationRequested,
    OnboardingSubmitted,
    PrivacyRequested,
    RegistrationRepeated,
)
from apps.clients.messages import (
    APPLICATION_RECEIVED,
    CONFIRM,
    PASSWORD_RESET,
    REGISTERED_ALREADY,
    REGISTERED_UNCONFIRMED,
    WELCOME,
    mail_client,
    page,
)
from apps.clients.models import Client, EmailConfirmation
from apps.clients.services import export_prepare
from apps.clients.tokens import confirmation_token
from apps.core import clock
from apps.core.actor import Actor
from apps.core.events import WhenDead, reacts_to
from apps.core.mail import mail_user
from apps.core.notifications import notify
from apps.core.notifications.kinds import SHARE_GRANTED
from apps.users.signin.events import PasswordResetRequested

LET_PASS = WhenDead.LET_PASS


@reacts_to(EmailConfirmationRequested, atomic=False, when_dead=LET_PASS)
def mail_confirmation_link(event: EmailConfirmationRequested) -> None:
    """A link that was used or replaced meanwhile is not mailed any more."""
    confirmation = EmailConfirmation.objects.filter(
        pk=event.confirmation_id, used_at=None, expires_at__gt=clock.now()
    ).first()
    if confirmation is not None:
        link = page("portal:clients-confirm", confirmation_token(confirmation.id))
        mail_client(CONFIRM, client_id=event.client_id, values={"link": link})


@reacts_to(RegistrationRepeated, atomic=False, when_dead=LET_PASS)
def mail_registered_already(event: RegistrationRepeated) -> None:
    waiting = (
        EmailConfirmation.objects.filter(
            client__logins__user_id=event.user_id, used_at=None, expires_at__gt=clock.now()
        )
        .order_by("-created_at")
        .first()
    )
    if waiting is not None:
        link = page("portal:clients-confirm", confirmation_token(waiting.id))
        mail_client(REGISTERED_UNCONFIRMED, client_id=waiting.client_id, values={"link": link})
        return
    values = {
        "link": page("portal:login"),
        "password_link": page("portal:clients-password-reset"),
    }
    mail_user(REGISTERED_ALREADY, user_id=event.user_id, values=values)


@reacts_to(PasswordResetRequested, atomic=False, when_dead=LET_PASS)
def mail_password_reset(event: PasswordResetRequested) -> None:
    user = get_user_model()._default_manager.get(pk=event.user_id)
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    link = page("portal:clients-password-set", uid, default_token_generator.make_token(user))
    mail_user(PASSWORD_RESET, user_id=event.user_id, values={"link": link})


@reacts_to(OnboardingSubmitted, atomic=False, when_dead=LET_PASS)
def mail_application_received(event: OnboardingSubmitted) -> None:
    link = page("portal:clients-onboarding")
    mail_client(APPLICATION_RECEIVED, client_id=event.client_id, values={"link": link})


@reacts_to(ClientActivated, atomic=False, when_dead=LET_PASS)
def mail_welcome(event: ClientActivated) -> None:
    link = page("portal:clients-profile")
    mail_client(WELCOME, client_id=event.client_id, values={"link": link})


@reacts_to(PrivacyRequested)
def make_export(event: PrivacyRequested) -> None:
    """The archive is made by a worker; asking for it again makes no second one."""
    if event.kind == PrivacyRequestKind.EXPORT:
        export_prepare(request_id=event.request_id, actor=Actor.system("privacy"))


@reacts_to(ClientShared)
def notify_client_shared(event: ClientShared) -> None:
    """By number and date; who the client is, the page says to whom may know."""
    number = Client.objects.values_list("number", flat=True).get(pk=event.client_id)
    notify(
        user_ids=[event.user_id],
        kind=SHARE_GRANTED,
        title=format_lazy(
            _("Client {number} is shared with you until {until}"),
            number=number,
            until=f"{event.until:%Y-%m-%d %H:%M}",
        ),
        url=reverse("admin:clients_client_change", args=[event.client_id]),
        actor=Actor.system("clients"),
        key=str(event.share_id),
    )
