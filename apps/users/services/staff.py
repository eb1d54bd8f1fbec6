"""Taking people on, changing what they see, letting them back in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput
from apps.core.events import emit
from apps.core.locks import lock_rows
from apps.core.models import Approval
from apps.users.errors import (
    BeyondOwnScope,
    LinkInvalid,
    LoginExists,
    LoginIsOut,
    NothingAsked,
    OwnAccess,
    PasswordIsSet,
)
from apps.users.events import StaffInvited
from apps.users.locks import staff_locked
from apps.users.models import User
from apps.users.permissions import MANAGE_STAFF
from apps.users.reach import FIELDS, beyond, reach_of, widens
from apps.users.services.access import ask_access, scope_apply
from apps.users.signin.credentials import credentials_touch


class WelcomeTokens(PasswordResetTokenGenerator):
    """A link of a newcomer: dies with the password it sets, with the next link, and after a few days."""

    key_salt = "apps.users.welcome"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.session_epoch}"


WELCOME = WelcomeTokens()


@command
def staff_invite(*, email: str, name: str, actor: Actor, reason: str, language: str = "en") -> User:
    """Take somebody on: a login that may do nothing and sees nothing, and a link to choose a password by mail.

    Roles and scope are asked for afterwards, and a second person agrees. Raises `NotAllowed`,
    `InvalidInput`, `LoginExists`.
    """
    actor.require(MANAGE_STAFF)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidInput(field="email", problem=email) from error
    user = User(email=address, name=name.strip(), is_staff=True, language=language)
    user.entities = sorted(actor.scope.entities)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save_as(actor, reason, action="staff.invite")
    except IntegrityError as error:
        raise LoginExists from error
    emit(StaffInvited(user_id=user.pk))
    return user


@command
def staff_invite_again(*, user_id: int, actor: Actor, reason: str) -> User:
    """Mail a new link; the one before stops working. Whoever has a password already gets none: theirs is changed by
    themselves, or after a colleague's approved reset. Raises `NotVisible`, `LoginIsOut`, `PasswordIsSet`."""
    user = staff_locked(user_id, actor)
    actor.require(MANAGE_STAFF, user)
    if not user.is_active:
        raise LoginIsOut
    if user.has_usable_password():
        raise PasswordIsSet
    user.session_epoch += 1
    user.save_as(actor, reason, action="staff.invite_again")
    emit(StaffInvited(user_id=user.pk))
    return user


@command
def staff_readmit(*, user_id: int, actor: Actor, reason: str) -> User:
    """Let somebody back in who was cut off: the same login, no roles, no scope, a new password by mail."""
    user = staff_locked(user_id, actor)
    actor.require(MANAGE_STAFF, user)
    if user.pk == actor.user_id:
        raise OwnAccess
    if user.is_active:
        return user
    user.is_active, user.left_at = True, None
    scope_apply(user, {**reach_of(user), "scope_level": "NONE"})
    user.save_as(actor, reason, action="staff.readmit")
    emit(StaffInvited(user_id=user.pk))
    return user


@command
def staff_change(*, user_id: int, actor: Actor, reason: str, **changes: Any) -> Approval | None:
    """Change name, desk, team, scope, companies or countries of a member of staff.

    What narrows the view or leaves it as wide takes effect now; what widens it waits for a second person, and
    the approval is answered. Raises `NotVisible`, `NotAllowed`, `OwnAccess`, `LoginIsOut`, `NothingAsked`,
    `BeyondOwnScope`, and what `access_request` raises.
    """
    user = staff_locked(user_id, actor)
    actor.require(MANAGE_STAFF, user)
    if user.pk == actor.user_id:
        raise OwnAccess
    if not user.is_active:
        raise LoginIsOut
    name = str(changes.pop("name", user.name)).strip()
    unknown = set(changes) - set(FIELDS)
    if unknown:
        raise InvalidInput(field=min(unknown), problem="unknown")
    before = reach_of(user)
    after = {**before, **changes}
    if after == before and name == user.name:
        raise NothingAsked
    approval = None
    if widens(before, after):
        approval = ask_access(user, actor=actor, reason=reason, scope=after)
    elif after != before and beyond(after, actor):
        raise BeyondOwnScope
    else:
        scope_apply(user, after)
    if name != user.name or approval is None:
        user.name = name
        user.save_as(actor, reason, action="staff.change")
    return approval


@command
def welcome_password_set(*, uid: str, token: str, password: str, actor: Actor) -> User:
    """The newcomer chooses a password by the mailed link, and is told by mail that it was done.

    Raises `LinkInvalid`, `InvalidInput` for a weak one.
    """
    user = newcomer_of(uid, token, lock=True)
    if user is None:
        raise LinkInvalid
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(field="password", problem=" ".join(error.messages)) from error
    user.set_password(password)
    user.session_epoch += 1
    user.save_as(actor, "by mailed link", action="staff.password_set")
    credentials_touch(user=user, what="password_set", actor=actor, reason="by mailed link")
    return user


def newcomer_of(uid: str, token: str, *, lock: bool = False) -> User | None:
    """The member of staff whom a link belongs to, or None for one that does not work."""
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeDecodeError):
        return None
    rows = User.objects.filter(pk=pk, is_active=True, is_staff=True)
    found = lock_rows(rows) if lock else list(rows)
    return found[0] if found and WELCOME.check_token(found[0], token) else None


def welcome_link(user: User) -> tuple[str, str]:
    """The two parts of the link, made anew each time it is mailed."""
    return urlsafe_base64_encode(force_bytes(user.pk)), WELCOME.make_token(user)
