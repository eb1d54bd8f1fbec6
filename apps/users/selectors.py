from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.context import current_request
from apps.users.models import User
from apps.users.signin.freshness import is_fresh

Memberships = Callable[[User], tuple[str, frozenset[UUID]]]
_MEMBERSHIPS: dict[str, Memberships] = {}


def register_membership(code: str, lookup: Memberships) -> None:
    """Let a higher app say which clients or partners a login stands for: `lookup(user) -> ("client", ids)`."""
    _MEMBERSHIPS[code] = lookup


def actor_for(user: User | AnonymousUser, request: HttpRequest | None = None) -> Actor:
    """The actor that `user` is in this request."""
    context = current_request()
    if not user.is_authenticated or not isinstance(user, User):
        return Actor(
            ActorKind.CLIENT, "anonymous", "anonymous", request_id=context.request_id, ip=context.ip
        )
    members: dict[str, frozenset[UUID]] = {}
    if not user.is_staff:
        for lookup in _MEMBERSHIPS.values():
            axis, ids = lookup(user)
            members[axis] = members.get(axis, frozenset()) | ids
    clients, partners = members.get("client", frozenset()), members.get("partner", frozenset())
    return Actor(
        kind=ActorKind.STAFF if user.is_staff else ActorKind.CLIENT,
        id=f"user:{user.pk}",
        label=str(user) if user.is_staff else f"login {user.pk}",
        user_id=user.pk,
        permissions=frozenset(user.get_all_permissions()),
        scope=Scope(
            ScopeLevel(user.scope_level) if user.is_staff else ScopeLevel.NONE,
            user.desk_id,
            frozenset(user.entities),
        ),
        client_ids=clients,
        partner_ids=partners,
        request_id=context.request_id,
        ip=context.ip,
        fresh=is_fresh(request) if request is not None else True,
    )


def actor_now(user_id: int) -> Actor | None:
    """What this login may do at this moment, outside any request; None for one that may no longer come in."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return actor_for(user) if user is not None else None


def as_partner(actor: Actor) -> Actor:
    """The same login acting for its partner: partner pages show what belongs to the partner, not to the client."""
    return replace(actor, kind=ActorKind.PARTNER)


def request_actor(request: Any) -> Actor:
    """The actor that the middleware found for this request: the value itself, not its lazy stand-in."""
    actor = request.actor
    return copy(actor) if actor.kind else actor  # type: ignore[no-any-return]
