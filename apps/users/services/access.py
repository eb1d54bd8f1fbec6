"""Roles and how far people see: asked for by one, approved by another, taken away at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves, payload_digest
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotAllowed, NotVisible, StaleBase
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval
from apps.users.duties import conflicts_of
from apps.users.errors import (
    AccessPending,
    BeyondOwnRole,
    BeyondOwnScope,
    DutiesConflict,
    LastAdmin,
    LoginIsOut,
    NothingAsked,
    OwnAccess,
    RoleHeld,
    RoleUnknown,
)
from apps.users.events import RoleGranted, RoleRevoked
from apps.users.locks import staff_locked
from apps.users.models import ADMIN, Role, RoleGrant, User
from apps.users.permissions import APPROVE_ACCESS, GRANT_ANY, REQUEST_ACCESS, REVOKE_ACCESS
from apps.users.reach import beyond, reach_of
from apps.users.roles import outside_roles

ACCESS = "users.access"


@command
def access_request(
    *,
    user_id: int,
    actor: Actor,
    reason: str,
    roles: Sequence[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    scope: Mapping[str, Any] | None = None,
) -> Approval:
    """Ask for roles, from one moment to another, and for a wider view; a second person decides on all of it.

    Raises `NotVisible`, `NotAllowed`, `OwnAccess`, `LoginIsOut`, `RoleUnknown`, `RoleHeld`, `DutiesConflict`,
    `BeyondOwnRole`, `BeyondOwnScope`, `AccessPending`, `NothingAsked`, `InvalidInput` for dates.
    """
    user = staff_locked(user_id, actor)
    return ask_access(
        user,
        actor=actor,
        reason=reason,
        roles=roles,
        valid_from=valid_from,
        valid_until=valid_until,
        scope=scope,
    )


def ask_access(
    user: User,
    *,
    actor: Actor,
    reason: str,
    roles: Sequence[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    scope: Mapping[str, Any] | None = None,
) -> Approval:
    """The request itself, for a locked login, as part of another command."""
    actor.require(REQUEST_ACCESS, user)
    if user.pk == actor.user_id:
        raise OwnAccess
    if not user.is_active:
        raise LoginIsOut
    wanted = sorted(set(roles))
    if not wanted and scope is None:
        raise NothingAsked
    _require_dates(valid_from, valid_until)
    flagged = _require_fitting(user, wanted, valid_from, valid_until)
    _require_own(wanted, scope, actor)
    payload = {
        "user_id": user.pk,
        "roles": wanted,
        "valid_from": valid_from.isoformat() if valid_from else None,
        "valid_until": valid_until.isoformat() if valid_until else None,
        "scope": dict(scope) if scope is not None else None,
        "scope_before": reach_of(user),
        "duties": [conflict.why for conflict in flagged],
    }
    same = Approval.objects.filter(
        action=ACCESS, state=Approval.State.PENDING, payload_hash=payload_digest(payload)
    )
    if same.exists():
        raise AccessPending
    return approval_request(
        action=ACCESS,
        title=_title(user, wanted, scope),
        payload=payload,
        permission=APPROVE_ACCESS,
        actor=actor,
        reason=reason,
        subject=user,
        required=2 if flagged else 1,
        entity=user.entities[0] if len(user.entities) == 1 else "",
        beneficiary_ids=[f"user:{user.pk}"],
    )


@approves(ACCESS)
def access_give(approval: Approval, *, actor: Actor) -> None:
    """What was approved takes effect.

    Raises `OwnAccess` for the one whom it favours, `StaleBase` when the person's view has changed since or when
    the roles held by now make two people necessary and one was asked, `LoginIsOut`, `RoleHeld`,
    `DutiesConflict`, and `InvalidInput` when its time is over.
    """
    asked = approval.payload
    if asked["user_id"] == actor.user_id:
        raise OwnAccess
    user = lock_row(User.objects.all(), asked["user_id"])
    if not user.is_active:
        raise LoginIsOut
    begins, ends = _moment(asked["valid_from"]), _moment(asked["valid_until"])
    begins = max(begins, clock.now()) if begins else clock.now()
    _require_dates(begins, ends)
    if _require_fitting(user, asked["roles"], begins, ends) and approval.required < 2:
        raise StaleBase
    if asked["scope"] is not None:
        if reach_of(user) != asked["scope_before"]:
            raise StaleBase
        scope_apply(user, asked["scope"])
        user.save_as(actor, approval.reason, action="staff.scope")
    for code in asked["roles"]:
        _give(user, code, begins, ends, actor=actor, reason=approval.reason, approval=approval)


@command
def role_revoke(*, rolegrant_id: UUID, actor: Actor, reason: str) -> RoleGrant:
    """The role is lost at this moment; a grant that is over already stays as it is.

    Raises `NotVisible`, `NotAllowed`, `LastAdmin`.
    """
    seen = RoleGrant.objects.visible_to(actor).filter(pk=rolegrant_id).first()
    if seen is None:
        raise NotVisible
    user = staff_locked(seen.user_id, actor)
    actor.require(REVOKE_ACCESS, user)
    found = lock_row(RoleGrant.objects.all(), rolegrant_id)
    grant_end(found, actor=actor, reason=reason)
    return found


def grant_end(grant: RoleGrant, *, actor: Actor, reason: str) -> bool:
    """End a locked grant now. False when it was over already. Raises `LastAdmin`."""
    at = clock.now()
    if grant.valid_until is not None and grant.valid_until <= at:
        return False
    if grant.role.name == ADMIN and grant.gives_at(at):
        require_admin_beside(grant.user_id)
    grant.valid_until = max(at, grant.valid_from)
    grant.revoked_at = at
    grant.revoked_by_label = actor.label
    grant.revoke_reason = reason
    grant.save_as(actor, reason, action="role.revoke")
    emit(RoleRevoked(user_id=grant.user_id, grant_id=grant.pk, role=grant.role.name))
    return True


def require_admin_beside(user_id: int) -> None:
    """Raises `LastAdmin` unless somebody else is administrator, today and without an end date.

    The role's own row is locked, so that two administrators who revoke each other are decided one after the other.
    """
    Role.objects.select_for_update().get(name=ADMIN)
    others = RoleGrant.objects.in_force().filter(
        role__name=ADMIN, valid_until=None, user__is_active=True, user__is_staff=True
    )
    if not others.exclude(user_id=user_id).exists():
        raise LastAdmin


def role_give(
    user: User,
    code: str,
    *,
    actor: Actor,
    reason: str,
    valid_from: datetime | None = None,
) -> RoleGrant:
    """Give a role without asking anybody: clients and partners their own, the system those of a house that opens.

    Part of another command. Raises `RoleUnknown`, and `NotAllowed` when a person tries it for a role of staff.
    """
    if code not in outside_roles() and not actor.is_system:
        raise NotAllowed(permission=REQUEST_ACCESS.label)
    _role(user, code)
    return _give(user, code, valid_from or clock.now(), None, actor=actor, reason=reason)


def scope_apply(user: User, scope: Mapping[str, Any]) -> None:
    for name, value in scope.items():
        setattr(user, name, value)


def _give(
    user: User,
    code: str,
    begins: datetime,
    ends: datetime | None,
    *,
    actor: Actor,
    reason: str,
    approval: Approval | None = None,
) -> RoleGrant:
    grant = RoleGrant(
        user=user,
        role=_role(user, code),
        valid_from=begins,
        valid_until=ends,
        reason=reason,
        granted_by_id=approval.maker_id if approval else actor.id,
        granted_by_label=approval.maker_label if approval else actor.label,
        approval_id=approval.pk if approval else None,
    )
    grant.save_as(actor, reason, action="role.grant")
    emit(RoleGranted(user_id=user.pk, grant_id=grant.pk, role=code))
    return grant


def _role(user: User, code: str) -> Group:
    """The role, if this kind of login may hold it: staff theirs, clients and partners theirs."""
    role = Role.objects.filter(name=code).first()
    if role is None or user.is_staff == (code in outside_roles()):
        raise RoleUnknown(role=code)
    return role


def _require_dates(begins: datetime | None, ends: datetime | None) -> None:
    at = clock.now()
    if ends is not None and ends <= max(begins or at, at):
        raise InvalidInput(
            field="until", problem="the end lies before the beginning or in the past"
        )


def _require_fitting(
    user: User, roles: Sequence[str], begins: datetime | None, ends: datetime | None
) -> list[Any]:
    """The roles exist, are not held then, and go together with what is held then. Answers what is flagged."""
    for code in roles:
        _role(user, code)
    beside = RoleGrant.objects.filter(user=user).not_over(begins)
    if ends is not None:
        beside = beside.filter(valid_from__lt=ends)
    held = set(beside.values_list("role__name", flat=True))
    for code in roles:
        if code in held:
            raise RoleHeld(role=code)
    together = held | set(roles)
    found = [c for c in conflicts_of(together) if any(c.touches(r, together) for r in roles)]
    refused = [conflict.why for conflict in found if conflict.refuses]
    if refused:
        raise DutiesConflict(conflicts=" ".join(refused))
    return found


def _require_own(roles: Sequence[str], scope: Mapping[str, Any] | None, actor: Actor) -> None:
    if not actor.allows(GRANT_ANY):
        pairs = Role.objects.filter(name__in=roles).values_list(
            "permissions__content_type__app_label", "permissions__codename"
        )
        missing = {f"{app}.{name}" for app, name in pairs if name} - actor.permissions
        if missing:
            raise BeyondOwnRole(missing=", ".join(sorted(missing)[:5]))
    if scope is not None and beyond(scope, actor):
        raise BeyondOwnScope


def _title(user: User, roles: Sequence[str], scope: Mapping[str, Any] | None) -> str:
    parts = [f"role {code}" for code in roles]
    if scope is not None:
        entities = ", ".join(scope["entities"])
        parts.append(f"sees {scope['scope_level']}" + (f" of {entities}" if entities else ""))
    return f"Access for {user}: {'; '.join(parts)}"[:200]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
