"""Getting back in after a forgotten password."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.utils.http import urlsafe_base64_decode

from apps.clients.errors import TokenInvalid, WeakPassword
from apps.clients.events import PasswordResetRequested
from apps.clients.models import ClientLogin
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.events import emit
from apps.core.locks import lock_rows
from apps.users.models import User


@command
def password_reset_request(*, email: str, actor: Actor) -> None:
    """Mail a link if the address belongs to a client's login; says nothing about whether it did."""
    login = ClientLogin.objects.filter(
        user__email=email.strip().lower(), user__is_active=True, active=True
    ).first()
    if login is not None:
        emit(PasswordResetRequested(user_id=login.user_id))


@command
def password_reset(*, uid: str, token: str, password: str, actor: Actor) -> None:
    """Set a new password by a mailed link. A link dies with its first use, with the next sign-in
    and after `PASSWORD_RESET_TIMEOUT`. Raises `TokenInvalid`, `WeakPassword`."""
    user = _user_of(uid)
    if user is None or not default_token_generator.check_token(user, token):
        raise TokenInvalid
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(explanation=" ".join(error.messages)) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    login = ClientLogin.objects.filter(user=user).first()
    audit(
        actor=actor,
        action="client.password_reset",
        client_id=login.client_id if login else None,
        reason="by mailed link",
    )


def _user_of(uid: str) -> User | None:
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeDecodeError):
        return None
    clients = ClientLogin.objects.filter(user_id=pk, active=True)
    users = User.objects.filter(pk=pk, is_active=True, is_staff=False)
    if not clients.exists():
        return None
    locked = lock_rows(users)
    return locked[0] if locked else None
