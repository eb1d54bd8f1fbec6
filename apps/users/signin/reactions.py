"""Mail to the owner of a login when something about it happens. Sent with the event, tried again with it."""

from __future__ import annotations

from typing import Any

from apps.core.events import reacts_to
from apps.core.mail import send_mail_later
from apps.users.models import KnownDevice, User
from apps.users.signin.events import CredentialsChanged, NewDeviceSignedIn, SignInShut


def _tell(user_id: int, template: str, context: dict[str, Any]) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None:
        send_mail_later(
            to=user.email,
            template=f"users/mail/{template}",
            context={"user": user, **context},
            language=user.language,
        )


@reacts_to(SignInShut, atomic=False)
def mail_sign_in_shut(event: SignInShut) -> None:
    _tell(event.user_id, "sign_in_shut", {"minutes": event.minutes})


@reacts_to(NewDeviceSignedIn, atomic=False)
def mail_new_device(event: NewDeviceSignedIn) -> None:
    device = KnownDevice.objects.filter(pk=event.device_id).first()
    if device is not None:
        _tell(event.user_id, "new_device", {"device": device})


@reacts_to(CredentialsChanged, atomic=False)
def mail_credentials_changed(event: CredentialsChanged) -> None:
    _tell(event.user_id, "credentials_changed", {"what": event.what})
