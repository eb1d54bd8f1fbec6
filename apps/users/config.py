"""Roles and what they read of personal fields, carried between installations by the role's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as PermissionRow
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.config import Change, ConfigKind, Items, register_config
from apps.core.masks import FieldMask, personal_fields
from apps.users.models import ADMIN, Role, RoleGrant, RoleMask
from apps.users.permissions import (
    APPROVE_ACCESS,
    GRANT_ANY,
    MANAGE_STAFF,
    REQUEST_ACCESS,
    REVOKE_ACCESS,
)

ACCESS_POWERS = frozenset(
    str(power) for power in (MANAGE_STAFF, REQUEST_ACCESS, APPROVE_ACCESS, REVOKE_ACCESS, GRANT_ANY)
)


class RoleData(msgspec.Struct, forbid_unknown_fields=True):
    permissions: list[str]


class MaskData(msgspec.Struct, forbid_unknown_fields=True):
    fields: dict[str, str]


def _codes() -> dict[str, PermissionRow]:
    rows = PermissionRow.objects.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}": row for row in rows}


def roles_export() -> Items:
    roles = Role.objects.prefetch_related("permissions__content_type")
    return {
        role.name: {
            "permissions": sorted(
                f"{row.content_type.app_label}.{row.codename}" for row in role.permissions.all()
            )
        }
        for role in roles
    }


def role_problems(key: str, values: dict[str, Any]) -> Iterable[str]:
    unknown = sorted(set(values["permissions"]) - set(_codes()))
    if unknown:
        yield f"nobody declares {', '.join(unknown[:3])}"
    if values["permissions"] != sorted(set(values["permissions"])):
        yield "permissions stand once and in order"


def holders(change: Change) -> Iterable[Any]:
    """Whoever holds the role, or will."""
    rows = RoleGrant.objects.not_over().filter(role__name=change.key)
    return rows.values_list("user_id", flat=True).distinct()


def shuts_the_house(change: Change) -> str:
    """Administrators keep what gives access, or nobody could give it back."""
    kept = set((change.after or {"permissions": []})["permissions"])
    missing = sorted(ACCESS_POWERS - kept) if change.key == ADMIN else []
    return f"administrators would lose {', '.join(missing)}" if missing else ""


def role_apply(change: Change, actor: Actor, reason: str) -> None:
    rows = _codes()
    role, _made = Role.objects.get_or_create(name=change.key)
    wanted = (change.after or {"permissions": []})["permissions"]
    role.permissions.set([rows[code] for code in wanted])
    _tell(role, change, actor, reason)


def masks_export() -> Items:
    found: Items = {}
    for row in RoleMask.objects.select_related("role").order_by("role__name", "field"):
        found.setdefault(row.role.name, {"fields": {}})["fields"][row.field] = row.mask
    return found


def mask_problems(key: str, values: dict[str, Any]) -> Iterable[str]:
    known = set(personal_fields())
    for name, mask in values["fields"].items():
        if name not in known:
            yield f"{name} is no personal field"
        if mask not in {m.value for m in FieldMask}:
            yield f"{name} cannot be {mask}"


def mask_apply(change: Change, actor: Actor, reason: str) -> None:
    """A role's masks are replaced as a whole; a field without one reads nothing."""
    role = Role.objects.get(name=change.key)
    wanted = (change.after or {"fields": {}})["fields"]
    RoleMask.objects.filter(role_id=role.pk).delete()
    RoleMask.objects.bulk_create(
        RoleMask(role_id=role.pk, field=name, mask=mask) for name, mask in wanted.items()
    )
    _tell(role, change, actor, reason)


def _tell(role: Group, change: Change, actor: Actor, reason: str) -> None:
    audit(
        actor=actor,
        action=f"config.{change.act}",
        subject=role,
        before=change.before,
        after=change.after,
        reason=reason,
    )


register_config(
    ConfigKind(
        "users.roles",
        _("Roles"),
        RoleData,
        roles_export,
        role_apply,
        check=role_problems,
        order=10,
        needs=GRANT_ANY,
        favours=holders,
        refuses=shuts_the_house,
    )
)
register_config(
    ConfigKind(
        "users.masks",
        _("Masks of personal fields"),
        MaskData,
        masks_export,
        mask_apply,
        check=mask_problems,
        order=11,
        needs=GRANT_ANY,
        favours=holders,
    )
)
