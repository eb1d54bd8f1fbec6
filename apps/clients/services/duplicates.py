"""One person or two? Found by machine, decided by people."""

from __future__ import annotations

from uuid import UUID

from django_fsm import can_proceed

from apps.clients.errors import DuplicateDecided
from apps.clients.locks import duplicate_locked
from apps.clients.models import Client, DuplicateFlag
from apps.clients.permissions import RESOLVE_DUPLICATE
from apps.clients.selectors import likely_duplicates
from apps.core.actor import Actor
from apps.core.commands import command


def flag_duplicates(client: Client, *, actor: Actor) -> None:
    """Raise a question for each other client who shares a signal; a pair is asked about once,
    whichever of the two changed."""
    for other, signal in likely_duplicates(client):
        pair = [client.id, other.id]
        if DuplicateFlag.objects.filter(
            client_id__in=pair, other_id__in=pair, signal=signal
        ).exists():
            continue
        flag = DuplicateFlag(client=client, other=other, signal=signal)
        flag.save_as(actor, f"same {signal.lower()}", action="duplicate.flag")


@command
def duplicate_dismiss(*, flag_id: UUID, actor: Actor, reason: str) -> DuplicateFlag:
    """Two people after all. Raises `NotVisible`, `NotAllowed`, `DuplicateDecided`."""
    flag = duplicate_locked(flag_id, visible_to=actor)
    actor.require(RESOLVE_DUPLICATE, flag)
    if not can_proceed(flag.dismiss):
        raise DuplicateDecided
    flag.dismiss(by=actor, reason=reason)
    flag.save_as(actor, reason, action="duplicate.dismiss")
    return flag


@command
def duplicate_confirm(*, flag_id: UUID, actor: Actor, reason: str) -> DuplicateFlag:
    """One person. Raises `NotVisible`, `NotAllowed`, `DuplicateDecided`."""
    flag = duplicate_locked(flag_id, visible_to=actor)
    actor.require(RESOLVE_DUPLICATE, flag)
    if not can_proceed(flag.confirm):
        raise DuplicateDecided
    flag.confirm(by=actor, reason=reason)
    flag.save_as(actor, reason, action="duplicate.confirm")
    return flag
