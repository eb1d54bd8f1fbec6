"""From where staff may come, and looking at a client's pages as the client."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import Group

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible
from apps.core.locks import lock_row, lock_rows
from apps.core.querysets import clients_in_scope
from apps.users.errors import LocksOneselfOut, NotAClient
from apps.users.models import Impersonation, NetworkRule, User
from apps.users.permissions import IMPERSONATE, MANAGE_NETWORKS
from apps.users.selectors import clients_of_login, network_refuses

LONGEST_LOOK = timedelta(hours=1)


@command
def network_rule_add(
    *,
    networks: Sequence[str],
    actor: Actor,
    reason: str,
    role: str = "",
    user_id: int | None = None,
) -> NetworkRule:
    """Let a role, or one person, come only from these networks; it counts from the next request on.

    The rule that counted for them before ends. Raises `NotAllowed`, `InvalidInput`, `LocksOneselfOut`.
    """
    actor.require(MANAGE_NETWORKS)
    if bool(role) == (user_id is not None):
        raise InvalidInput(field="role", problem="one role or one person")
    group = Group.objects.filter(name=role).first() if role else None
    person = User.objects.filter(pk=user_id, is_staff=True).first() if user_id else None
    if group is None and person is None:
        raise NotVisible
    before = NetworkRule.objects.filter(active=True, role=group, user=person)
    for old in lock_rows(before):
        old.active = False
        old.save_as(actor, reason, action="network_rule.end")
    rule = NetworkRule(role=group, user=person, networks=_networks(networks), reason=reason)
    rule.save_as(actor, reason, action="network_rule.add")
    _require_still_in(actor)
    return rule


@command
def network_rule_end(*, networkrule_id: UUID, actor: Actor, reason: str) -> NetworkRule:
    """The rule counts no more. Raises `NotVisible`, `NotAllowed`, `LocksOneselfOut`."""
    rule = lock_row(NetworkRule.objects.all(), networkrule_id, visible_to=actor)
    actor.require(MANAGE_NETWORKS, rule)
    if rule.active:
        rule.active = False
        rule.save_as(actor, reason, action="network_rule.end")
        _require_still_in(actor)
    return rule


def _networks(written: Sequence[str]) -> list[str]:
    try:
        found = [
            str(ipaddress.ip_network(text.strip(), strict=False))
            for text in written
            if text.strip()
        ]
    except ValueError as error:
        raise InvalidInput(field="networks", problem=str(error)) from error
    if not found:
        raise InvalidInput(field="networks", problem="none")
    return sorted(set(found))


def _require_still_in(actor: Actor) -> None:
    if actor.user_id is not None and actor.ip and network_refuses(actor.user_id, actor.ip):
        raise LocksOneselfOut(address=actor.ip)


@command
def impersonation_start(
    *, user_id: int, actor: Actor, reason: str, minutes: int = 15
) -> Impersonation:
    """Begin to look at a client's pages as this login sees them; a look that still runs ends.

    Every client of the login must be in scope. Raises `NotAllowed`, `NotAClient` for staff and for logins without
    clients, `NotVisible`, `InvalidInput` for a time beyond an hour.
    """
    actor.require(IMPERSONATE)
    length = timedelta(minutes=minutes)
    if not timedelta(0) < length <= LONGEST_LOOK:
        raise InvalidInput(field="minutes", problem="between 1 and 60")
    login = User.objects.filter(pk=user_id, is_active=True).first()
    if login is None:
        raise NotVisible
    clients = clients_of_login(login) if not login.is_staff else frozenset()
    if actor.user_id is None or login.is_staff or not clients:
        raise NotAClient
    if set(clients) - set(clients_in_scope(actor, clients)):
        raise NotVisible
    for running in lock_rows(Impersonation.objects.filter(user_id=actor.user_id, ended_at=None)):
        _end(running, actor, "another one began")
    now = clock.now()
    look = Impersonation(
        user_id=actor.user_id,
        login=login,
        client_ids=sorted(clients),
        purpose=reason,
        started_at=now,
        expires_at=now + length,
    )
    look.save_as(actor, reason, action="impersonation.start")
    _tell_clients(look, actor, "impersonation.start", reason)
    return look


@command
def impersonation_end(*, impersonation_id: UUID, actor: Actor, reason: str) -> Impersonation:
    """Stop looking. Only one's own look is there. Ended ones stay as they are. Raises `NotVisible`."""
    look = lock_row(Impersonation.objects.filter(user_id=actor.user_id or 0), impersonation_id)
    if look.ended_at is None:
        _end(look, actor, reason)
    return look


def looks_end_of(user: User, actor: Actor, reason: str) -> int:
    """What a cut-off ends: looks by this member of staff, and looks at this login."""
    rows = Impersonation.objects.filter(ended_at=None)
    found = [*lock_rows(rows.filter(user=user)), *lock_rows(rows.filter(login=user))]
    for look in found:
        _end(look, actor, reason)
    return len(found)


def _end(look: Impersonation, actor: Actor, reason: str) -> None:
    look.ended_at = clock.now()
    look.save_as(actor, reason, action="impersonation.end")
    _tell_clients(look, actor, "impersonation.end", reason)


def _tell_clients(look: Impersonation, actor: Actor, action: str, reason: str) -> None:
    for client_id in look.client_ids:
        audit(actor=actor, action=action, subject=look, client_id=client_id, reason=reason)
