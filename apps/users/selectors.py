from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import HttpRequest

from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.context import current_request
from apps.core.masks import WIDEST, FieldMask
from apps.core.querysets import shared_with
from apps.users.models import Impersonation, NetworkRule, RoleGrant, RoleMask, Team, User
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
        scope=scope_of(user),
        client_ids=clients,
        partner_ids=partners,
        masks=RoleMasks(user.pk) if user.is_staff else {},
        request_id=context.request_id,
        ip=context.ip,
        fresh=is_fresh(request) if request is not None else True,
    )


def clients_of_login(user: User) -> frozenset[UUID]:
    """The clients that a login stands for."""
    found = (lookup(user) for lookup in _MEMBERSHIPS.values())
    return frozenset().union(*(ids for axis, ids in found if axis == "client"))


def network_refuses(user_id: int, address: str) -> bool:
    """Whether a network rule shuts this address out for this member of staff.

    A rule for the person replaces those of the roles; of several roles with a rule, each must let the address in.
    """
    held = RoleGrant.objects.in_force().filter(user=user_id).values("role")
    rules = list(NetworkRule.objects.filter(Q(user=user_id) | Q(role__in=held), active=True))
    own = [rule for rule in rules if rule.user_id is not None]
    return not all(rule.lets_in(address) for rule in own or rules)


def impersonating_actor(staff: Actor, look: Impersonation, login: User) -> Actor:
    """The member of staff as the client sees the house: named as themselves, on behalf of the login, seeing only
    what can be seen, and of personal fields no more than their own roles read."""
    seen = actor_for(login)
    return replace(
        seen,
        id=staff.id,
        label=staff.label,
        user_id=staff.user_id,
        permissions=frozenset(code for code in seen.permissions if ".view_" in code),
        client_ids=seen.client_ids & frozenset(look.client_ids),
        masks=staff.masks,
        on_behalf_of=seen.id,
        fresh=False,
    )


def actor_now(user_id: int) -> Actor | None:
    """What this login may do at this moment, outside any request; None for one that may no longer come in."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return actor_for(user) if user is not None else None


def scope_of(user: User) -> Scope:
    """How far this login sees at this instant, with what was shared with it."""
    if not user.is_staff:
        return Scope()
    level = ScopeLevel(user.scope_level)
    return Scope(
        level=level,
        desk_id=user.desk_id,
        entities=frozenset(user.entities if level is not ScopeLevel.NONE else ()),
        team_ids=_teams_of(user) if level is ScopeLevel.TEAM else frozenset(),
        jurisdictions=frozenset(user.jurisdictions),
        shared=shared_with(user.pk) if level is not ScopeLevel.ALL else {},
    )


def _teams_of(user: User) -> frozenset[int]:
    """The team one belongs to and those one leads."""
    led = Team.objects.filter(lead_id=user.pk).values_list("pk", flat=True)
    return frozenset(led) | ({user.team_id} if user.team_id is not None else set())


class RoleMasks(Mapping[str, str]):
    """What the roles of a user read of each personal field, asked for when the first one is shown."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self._found: dict[str, str] | None = None

    def _rows(self) -> dict[str, str]:
        if self._found is None:
            self._found = {}
            held_now = RoleGrant.objects.in_force().filter(user=self.user_id).values("role")
            rows = RoleMask.objects.filter(role__in=held_now).values_list("field", "mask")
            for name, mask in rows:
                held = self._found.get(name, FieldMask.NONE.value)
                self._found[name] = min(held, mask, key=lambda m: WIDEST.index(FieldMask(m)))
        return self._found

    def __getitem__(self, name: str) -> str:
        return self._rows()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows())

    def __len__(self) -> int:
        return len(self._rows())


def client_id_of(user: User | None) -> UUID | None:
    """The client on whose timeline this login's news belong; none for staff and strangers."""
    if user is None or user.is_staff:
        return None
    found = [lookup(user) for lookup in _MEMBERSHIPS.values()]
    return min((key for axis, ids in found if axis == "client" for key in ids), default=None)


SignInCheck = Callable[[User], Any]
_SIGN_IN_CHECKS: dict[str, SignInCheck] = {}


def register_sign_in_check(code: str, check: SignInCheck) -> None:
    """Let a higher app keep a login out: `check(user)` answers the sentence that says so, or nothing."""
    _SIGN_IN_CHECKS[code] = check


def sign_in_barred(user: User) -> Any:
    """Why this login is closed at the moment, or nothing."""
    return next((said for check in _SIGN_IN_CHECKS.values() if (said := check(user))), None)


def as_partner(actor: Actor) -> Actor:
    """The same login acting for its partner: partner pages show what belongs to the partner, not to the client."""
    return replace(actor, kind=ActorKind.PARTNER)


def request_actor(request: Any) -> Actor:
    """The actor that the middleware found for this request: the value itself, not its lazy stand-in."""
    actor = request.actor
    return copy(actor) if actor.kind else actor  # type: ignore[no-any-return]
