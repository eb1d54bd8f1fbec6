"""The owner of a login is told when something about it happens. Sent with the event, tried again with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.events import WhenDead, reacts_to
from apps.core.mail import MailKind, mail_user
from apps.core.notifications import notify
from apps.users.messages import CREDENTIALS_CHANGED, NEW_DEVICE, SIGN_IN, SIGN_IN_SHUT
from apps.users.models import KnownDevice, User
from apps.users.signin.events import CredentialsChanged, NewDeviceSignedIn, SignInShut
from apps.users.templatetags.sign_in import browser_name

LET_PASS = WhenDead.LET_PASS
SYSTEM = Actor.system("sign-in")
PASSWORD = _("The password of your login was changed.")
WORDS: dict[str, Any] = {
    "password_changed": PASSWORD,
    "password_reset": PASSWORD,
    "password_set": PASSWORD,
    "second_factor_reset": _("The second factor of your login was reset at your request."),
}
FACTOR = _("A second factor of your login was added, removed or renewed.")


def _tell(kind: MailKind, user_id: int, **values: Any) -> None:
    link = settings.PUBLIC_URL + reverse("mfa_index")
    mail_user(kind, user_id=user_id, values={"link": link, **values})


def _show(user_id: int, title: Any) -> None:
    notify(user_ids=[user_id], kind=SIGN_IN, title=title, url=reverse("mfa_index"), actor=SYSTEM)


@reacts_to(SignInShut, atomic=False, when_dead=LET_PASS)
def mail_sign_in_shut(event: SignInShut) -> None:
    _tell(SIGN_IN_SHUT, event.user_id, minutes=event.minutes)


@reacts_to(NewDeviceSignedIn, atomic=False, when_dead=LET_PASS)
def mail_new_device(event: NewDeviceSignedIn) -> None:
    device = KnownDevice.objects.filter(pk=event.device_id).first()
    if device is not None:
        at = device.first_at.strftime("%Y-%m-%d %H:%M")
        _tell(NEW_DEVICE, event.user_id, device=browser_name(device.description), at=at)


@reacts_to(CredentialsChanged, atomic=False, when_dead=LET_PASS)
def mail_credentials_changed(event: CredentialsChanged) -> None:
    language = User.objects.values_list("language", flat=True).get(pk=event.user_id)
    with translation.override(language):
        what = str(WORDS.get(event.what, FACTOR))
    _tell(CREDENTIALS_CHANGED, event.user_id, what=what)


@reacts_to(SignInShut)
def notify_sign_in_shut(event: SignInShut) -> None:
    _show(event.user_id, _("Too many wrong passwords: signing in by password was shut for a while"))


@reacts_to(NewDeviceSignedIn)
def notify_new_device(event: NewDeviceSignedIn) -> None:
    _show(event.user_id, _("A new device signed in"))


@reacts_to(CredentialsChanged)
def notify_credentials_changed(event: CredentialsChanged) -> None:
    _show(event.user_id, WORDS.get(event.what, FACTOR))
