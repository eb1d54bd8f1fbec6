"""The relationship's course: from the first answer to the last farewell."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth import get_user_model
from django_fsm import can_proceed

from apps.clients.enums import KycStatus, Lifecycle, OnboardingState, RiskRating
from apps.clients.errors import (
    AgreementMissing,
    EmailNotConfirmed,
    LifecycleForbids,
    NotVerified,
    OnboardingIncomplete,
)
from apps.clients.events import (
    ClientActivated,
    ClientLifecycleChanged,
    ClientOwnerChanged,
    ClientVerificationChanged,
)
from apps.clients.locks import client_locked
from apps.clients.models import Client, OnboardingSession
from apps.clients.permissions import (
    ACTIVATE_CLIENT,
    CHANGE_LIFECYCLE,
    CHANGE_OWNER,
    REJECT_CLIENT,
    SET_VERIFICATION,
)
from apps.clients.selectors import agreements_missing
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput
from apps.core.events import emit
from apps.core.locks import lock_rows
from apps.core.permissions import Permission


@command
def client_activate(*, client_id: UUID, actor: Actor, reason: str) -> Client:
    """Let a verified client trade. Raises `NotVisible`, `NotAllowed`, `LifecycleForbids`, and what
    is still missing: `EmailNotConfirmed`, `OnboardingIncomplete`, `NotVerified`,
    `AgreementMissing`."""
    client = client_locked(client_id, visible_to=actor)
    actor.require(ACTIVATE_CLIENT, client)
    _require_ready(client)
    _activate(client, actor=actor, reason=reason)
    return client


def activate_when_ready(client: Client, *, actor: Actor, reason: str) -> bool:
    """Activate a locked client if nothing is missing any more; otherwise leave it be."""
    if not can_proceed(client.activate):
        return False
    try:
        _require_ready(client)
    except (EmailNotConfirmed, OnboardingIncomplete, NotVerified, AgreementMissing):
        return False
    _activate(client, actor=actor, reason=reason)
    return True


def _activate(client: Client, *, actor: Actor, reason: str) -> None:
    _step(client, client.activate, Lifecycle.ACTIVE, actor=actor, reason=reason)
    client.save_as(actor, reason, action="client.activate")
    emit(ClientActivated(client_id=client.id))


def _require_ready(client: Client) -> None:
    if client.email_confirmed_at is None:
        raise EmailNotConfirmed
    session = OnboardingSession.objects.filter(client=client).first()
    if session is None or session.state != OnboardingState.SUBMITTED:
        raise OnboardingIncomplete(steps=session.current_step if session else "personal")
    if not client.verified:
        raise NotVerified
    missing = agreements_missing(client)
    if missing:
        raise AgreementMissing(agreements=", ".join(item.title for item in missing))


@command
def client_verification_set(
    *, client_id: UUID, status: str, level: int, actor: Actor, reason: str
) -> Client:
    """Set the second axis. The KYC case is its source; by hand only where no case exists.

    Raises `NotVisible`, `NotAllowed`, `InvalidInput`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(SET_VERIFICATION, client)
    verification_take(client, status=status, level=level, actor=actor, reason=reason)
    return client


def verification_take(
    client: Client, *, status: str, level: int, actor: Actor, reason: str
) -> bool:
    """Repeat the KYC case's word on a locked client; False when that was its word already."""
    if status not in KycStatus.values:
        raise InvalidInput(field="status", problem=status)
    if (client.kyc_status, client.kyc_level) == (status, level):
        return False
    client.take_verification(status, level, by=actor, reason=reason)
    client.save_as(actor, reason, action="client.verification")
    emit(ClientVerificationChanged(client_id=client.id, kyc_status=status, kyc_level=level))
    return True


def client_risk_set(client: Client, *, rating: str, score: int, actor: Actor, reason: str) -> None:
    """Store the outcome of the risk arithmetic on a locked client."""
    client.risk_rating = RiskRating(rating).value
    client.risk_score = score
    client.save_as(actor, reason, action="client.risk")


@command
def client_reject(*, client_id: UUID, actor: Actor, reason: str) -> Client:
    """End an application. Raises `NotVisible`, `NotAllowed`, `LifecycleForbids`."""
    return _course(client_id, "reject", Lifecycle.REJECTED, REJECT_CLIENT, actor, reason)


def application_reject(client: Client, *, actor: Actor, reason: str) -> bool:
    """End the application of a locked client; False when there is none to end."""
    if not can_proceed(client.reject):
        return False
    client.reject(by=actor, reason=reason)
    client.save_as(actor, reason, action="client.reject")
    emit(ClientLifecycleChanged(client_id=client.id, lifecycle=client.lifecycle))
    return True


@command
def client_make_dormant(*, client_id: UUID, actor: Actor, reason: str) -> Client:
    """Nobody was here for long. Raises `NotVisible`, `NotAllowed`, `LifecycleForbids`."""
    return _course(client_id, "make_dormant", Lifecycle.DORMANT, CHANGE_LIFECYCLE, actor, reason)


@command
def client_wake(*, client_id: UUID, actor: Actor, reason: str) -> Client:
    """The client is back. Raises `NotVisible`, `NotAllowed`, `LifecycleForbids`."""
    return _course(client_id, "wake", Lifecycle.ACTIVE, CHANGE_LIFECYCLE, actor, reason)


@command
def client_offboard(*, client_id: UUID, actor: Actor, reason: str) -> Client:
    """Begin the end of the relationship. Raises `NotVisible`, `NotAllowed`, `LifecycleForbids`."""
    return _course(
        client_id, "begin_offboarding", Lifecycle.OFFBOARDING, CHANGE_LIFECYCLE, actor, reason
    )


@command
def client_close(*, client_id: UUID, actor: Actor, reason: str) -> Client:
    """The relationship is over. Raises `NotVisible`, `NotAllowed`, `LifecycleForbids`."""
    return _course(client_id, "close", Lifecycle.CLOSED, CHANGE_LIFECYCLE, actor, reason)


@command
def client_owner_change(
    *,
    client_id: UUID,
    actor: Actor,
    reason: str,
    owner_id: int | None = None,
    desk_id: int | None = None,
) -> Client:
    """Hand the client to somebody else; the history keeps who had it before.

    Raises `NotVisible`, `NotAllowed`, `InvalidInput` when the new owner is not active staff.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(CHANGE_OWNER, client)
    staff = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
    if owner_id is not None and not staff.filter(pk=owner_id).exists():
        raise InvalidInput(field="owner", problem=str(owner_id))
    client.owner_id = owner_id
    client.desk_id = desk_id
    client.save_as(actor, reason, action="client.owner")
    emit(ClientOwnerChanged(client_id=client.id))
    return client


HANDED_ON_AT_ONCE = 500


@command
def clients_hand_on(*, from_owner_id: int, to_owner_id: int, actor: Actor, reason: str) -> int:
    """Hand a leaver's clients to a colleague, each with its own history; answers how many.

    Only clients in the actor's scope, at most `HANDED_ON_AT_ONCE` a call; the rest follow with
    the next. Raises `NotAllowed`, `InvalidInput` when the colleague is not active staff or is the same person.
    """
    actor.require(CHANGE_OWNER)
    staff = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
    if to_owner_id == from_owner_id or not staff.filter(pk=to_owner_id).exists():
        raise InvalidInput(field="owner", problem=str(to_owner_id))
    owned = Client.objects.visible_to(actor).filter(owner_id=from_owner_id).order_by("pk")
    keys = list(owned.values_list("pk", flat=True)[:HANDED_ON_AT_ONCE])
    clients = lock_rows(Client.objects.filter(pk__in=keys, owner_id=from_owner_id))
    for client in clients:
        client.owner_id = to_owner_id
        client.save_as(actor, reason, action="client.owner")
        emit(ClientOwnerChanged(client_id=client.id))
    return len(clients)


def _course(
    client_id: UUID,
    method: str,
    target: Lifecycle,
    permission: Permission,
    actor: Actor,
    reason: str,
) -> Client:
    client = client_locked(client_id, visible_to=actor)
    actor.require(permission, client)
    _step(client, getattr(client, method), target, actor=actor, reason=reason)
    client.save_as(actor, reason, action=f"client.{method}")
    emit(ClientLifecycleChanged(client_id=client.id, lifecycle=target.value))
    return client


def _step(
    client: Client,
    method: Callable[..., None],
    target: Lifecycle,
    *,
    actor: Actor,
    reason: str,
) -> None:
    if not can_proceed(method):
        raise LifecycleForbids(lifecycle=client.get_lifecycle_display(), target=target.label)
    method(by=actor, reason=reason)
