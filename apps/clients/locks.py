"""Row locks of this app, always the client first."""

from __future__ import annotations

from uuid import UUID

from apps.clients.models import Client, ClientShare, DuplicateFlag, OnboardingSession, Restriction
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.locks import lock_row


def client_locked(client_id: UUID, *, visible_to: Actor) -> Client:
    return lock_row(Client.objects.all(), client_id, visible_to=visible_to)


def session_locked(client_id: UUID) -> OnboardingSession:
    """The application of a client that is locked already. Raises `NotVisible` when none began."""
    found = OnboardingSession.objects.filter(client_id=client_id).values_list("pk", flat=True)
    pk = found.first()
    if pk is None:
        raise NotVisible
    return lock_row(OnboardingSession.objects.select_related("client"), pk)


def restriction_locked(restriction_id: UUID, *, visible_to: Actor) -> Restriction:
    return lock_row(Restriction.objects.all(), restriction_id, visible_to=visible_to)


def duplicate_locked(flag_id: UUID, *, visible_to: Actor) -> DuplicateFlag:
    return lock_row(DuplicateFlag.objects.all(), flag_id, visible_to=visible_to)


def share_locked(share_id: UUID, *, visible_to: Actor) -> ClientShare:
    return lock_row(ClientShare.objects.all(), share_id, visible_to=visible_to)
