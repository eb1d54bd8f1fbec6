"""What is kept of each way in: failures, sign-ins, proofs, changed credentials, and a lost second factor's reset."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves
from apps.core.audit import audit
from apps.core.commands import command, joined
from apps.core.errors import NotVisible, SelfApproval
from apps.core.events import emit
from apps.core.locks import lock_row, lock_rows
from apps.core.models import Approval
from apps.users.models import KnownDevice, User
from apps.users.selectors import actor_for, client_id_of
from apps.users.services.sessions import sessions_end
from apps.users.signin.brake import Kind, count_failure, digest, forgive
from apps.users.signin.credentials import credentials_touch
from apps.users.signin.errors import NoSecondFactor, TokenInvalid, WeakPassword, WrongPassword
from apps.users.signin.events import (
    NewDeviceSignedIn,
    PasswordResetRequested,
    SignInShut,
)
from apps.users.signin.permissions import RESET_ACCESS

RESET_ACTION = "users.access_reset"


@command
def sign_in_fail(*, email: str, ip: str, actor: Actor) -> None:
    """Count a wrong password against the typed address and the network; shut what is over its limit.

    Does the same work for an address that nobody has, except that there is nobody to write to.
    """
    account = count_failure(Kind.ACCOUNT, email)
    count_failure(Kind.ADDRESS, ip)
    user = User.objects.filter(email=email.strip().lower()).first()
    audit(
        actor=actor,
        action="login.failure",
        subject=user,
        client_id=client_id_of(user),
        after={"failures": account.failures, "known": user is not None},
        reason="wrong password",
    )
    if account.shut_until is None:
        return
    minutes = round((account.shut_until - clock.now()).total_seconds() / 60)
    audit(
        actor=actor,
        action="login.lockout",
        subject=user,
        client_id=client_id_of(user),
        after={"failures": account.failures, "minutes": minutes},
        reason="too many wrong passwords",
    )
    if user is not None and user.is_active:
        emit(SignInShut(user_id=user.pk, minutes=minutes))


@command
def proof_fail(*, user_id: int, method: str, actor: Actor) -> None:
    """Count a wrong code or a wrong password of somebody who is asked to prove who they are."""
    verdict = count_failure(Kind.PROOF, f"user:{user_id}")
    audit(
        actor=actor,
        action="login.failure",
        subject=User.objects.get(pk=user_id),
        after={"method": method, "failures": verdict.failures},
        reason="wrong proof",
    )


@command
def sign_in_record(*, user_id: int, method: str, device_key: str, description: str) -> bool:
    """Keep that somebody came in, and with which browser; a browser never seen before is written to the owner.

    Answers whether it is new. The very first one of a login is nobody's news.
    """
    user = User.objects.get(pk=user_id)
    actor = actor_for(user)
    forgive(Kind.ACCOUNT, user.email)
    forgive(Kind.PROOF, f"user:{user_id}")
    first_ever = not KnownDevice.objects.filter(user=user).exists()
    device, new = KnownDevice.objects.update_or_create(
        user=user,
        key=digest(device_key),
        defaults={"last_at": clock.now(), "description": description[:200]},
    )
    audit(
        actor=actor,
        action="login.sign_in",
        subject=user,
        client_id=client_id_of(user),
        after={"method": method, "device": description[:120], "new_device": new},
    )
    if new and not first_ever:
        emit(NewDeviceSignedIn(user_id=user.pk, device_id=device.pk))
    return new


@command
def sign_out_record(*, user_id: int, session_key: str) -> None:
    """Keep that a session ended, by its owner or by its age; it leaves the list of devices."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return
    UserSession.objects.filter(user=user, session_key=session_key).delete()
    audit(
        actor=actor_for(user),
        action="login.sign_out",
        subject=user,
        client_id=client_id_of(user),
    )


@command
def proof_record(*, user_id: int, method: str, actor: Actor) -> None:
    """Keep that somebody proved again who they are before an act with money or power."""
    forgive(Kind.PROOF, f"user:{user_id}")
    audit(
        actor=actor,
        action="login.step_up",
        subject=User.objects.get(pk=user_id),
        after={"method": method},
    )


@command
def password_change(*, user_id: int, old: str, new: str, actor: Actor, keep: str = "") -> None:
    """Choose another password; every other session ends. The page before it asks for a recent proof. Raises
    `WrongPassword`, `WeakPassword`."""
    user = lock_row(User.objects.all(), user_id)
    if user.has_usable_password() and not user.check_password(old):
        raise WrongPassword
    _set_password(user, new)
    credentials_touch(user=user, what="password_changed", actor=actor)
    _end_sessions(user, actor, "password changed", keep)


@command
def password_reset_request(*, email: str, actor: Actor) -> None:
    """Mail a link if the address belongs to a client's or a partner's login; says nothing about whether it did.

    Staff get such a link from a colleague's approved reset, not by asking a form.
    """
    user = User.objects.filter(email=email.strip().lower(), is_active=True, is_staff=False).first()
    if user is not None:
        emit(PasswordResetRequested(user_id=user.pk))


@command
def password_reset(*, uid: str, token: str, password: str, actor: Actor) -> None:
    """Set a new password by a mailed link. A link dies with its first use, with the next sign-in
    and after `PASSWORD_RESET_TIMEOUT`; second factors stay. Raises `TokenInvalid`, `WeakPassword`."""
    user = _user_of(uid)
    if user is None or not default_token_generator.check_token(user, token):
        raise TokenInvalid
    _set_password(user, password)
    forgive(Kind.ACCOUNT, user.email)
    credentials_touch(user=user, what="password_reset", actor=actor, reason="by mailed link")
    _end_sessions(user, actor, "password reset")


@command
def access_reset_request(*, user_id: int, evidence: str, actor: Actor, reason: str) -> Approval:
    """Ask a colleague to agree that somebody who lost the second factor may begin anew.

    `evidence` says how it was made sure who asks. Raises `NotAllowed`, `NotVisible`, `NoSecondFactor`.
    """
    actor.require(RESET_ACCESS)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotVisible
    if not Authenticator.objects.filter(user=user).exists():
        raise NoSecondFactor
    return approval_request(
        action=RESET_ACTION,
        title=str(_("Reset the second factor of login {pk}")).format(pk=user.pk),
        payload={"user_id": user.pk, "evidence": evidence},
        permission=RESET_ACCESS,
        actor=actor,
        reason=reason,
        subject=user,
        client_id=client_id_of(user),
        beneficiary_ids=[f"user:{user.pk}"],
    )


@approves(RESET_ACTION)
def access_reset(approval: Approval, *, actor: Actor) -> None:
    """Take every second factor away, end every session and mail a link for a new password. Never decided by whom it
    concerns."""
    user = lock_row(User.objects.all(), approval.payload["user_id"])
    if actor.user_id == user.pk or approval.maker_id == f"user:{user.pk}":
        raise SelfApproval
    Authenticator.objects.filter(user=user).delete()
    credentials_touch(
        user=user, what="second_factor_reset", actor=actor, reason=approval.payload["evidence"]
    )
    _end_sessions(user, actor, "second factor reset")
    emit(PasswordResetRequested(user_id=user.pk))


def _end_sessions(user: User, actor: Actor, reason: str, keep: str = "") -> None:
    with joined():
        sessions_end(user_id=user.pk, actor=actor, reason=reason, keep=keep)


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(explanation=" ".join(error.messages)) from error
    user.set_password(password)
    user.save(update_fields=["password"])


def _user_of(uid: str) -> User | None:
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeDecodeError):
        return None
    locked = lock_rows(User.objects.filter(pk=pk, is_active=True))
    return locked[0] if locked else None
