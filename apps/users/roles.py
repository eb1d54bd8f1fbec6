"""Roles are data: `data/roles.toml` gives their permissions, `data/masks.toml` what they read of personal fields."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from django.contrib.auth.models import Permission as PermissionRow
from django.contrib.contenttypes.models import ContentType

from apps.core.masks import FieldMask, personal_fields
from apps.core.permissions import REGISTRY
from apps.users.models import Role, RoleMask

ROLES_FILE = Path(__file__).parent / "data" / "roles.toml"
MASKS_FILE = Path(__file__).parent / "data" / "masks.toml"


def declared_roles() -> dict[str, list[str]]:
    """Role code → permission codes, as the data file says; `*` means every permission."""
    with ROLES_FILE.open("rb") as file:
        return {code: list(role["permissions"]) for code, role in tomllib.load(file).items()}


@cache
def outside_roles() -> frozenset[str]:
    """Roles of people who do not work here: clients and partners. They are never given to staff, nor others to them."""
    with ROLES_FILE.open("rb") as file:
        return frozenset(c for c, role in tomllib.load(file).items() if role.get("outside", False))


def declared_masks() -> dict[str, dict[str, FieldMask]]:
    """Role code → personal field → mask, with patterns spelt out; of two patterns the later one counts.

    Raises `KeyError` for a pattern that meets no personal field.
    """
    with MASKS_FILE.open("rb") as file:
        declared = tomllib.load(file)
    return {role: _spelt_out(role, patterns) for role, patterns in declared.items()}


def _spelt_out(role: str, patterns: dict[str, str]) -> dict[str, FieldMask]:
    found: dict[str, FieldMask] = {}
    for pattern, mask in patterns.items():
        fields = [name for name in personal_fields() if fnmatchcase(name, pattern)]
        if not fields:
            raise KeyError(f"masks of {role} name a personal field that no model has: {pattern}")
        found |= dict.fromkeys(fields, FieldMask(mask))
    return found


def load_masks() -> None:
    """Bring the masks of every role to what the data file says; a role that it does not name reads nothing."""
    roles = {role.name: role for role in Role.objects.all()}
    wanted = {
        (roles[code].pk, name): mask.value
        for code, masks in declared_masks().items()
        for name, mask in masks.items()
    }
    held = {(row.role_id, row.field): row for row in RoleMask.objects.all()}
    stale = [row.pk for key, row in held.items() if wanted.get(key) != row.mask]
    RoleMask.objects.filter(pk__in=stale).delete()
    RoleMask.objects.bulk_create(
        RoleMask(role_id=role_id, field=name, mask=mask)
        for (role_id, name), mask in wanted.items()
        if (role_id, name) not in held or held[(role_id, name)].pk in stale
    )


def sync_permissions() -> None:
    """Make a row for every declared permission; those of an app hang on that app's first model."""
    known = {
        f"{ct}.{code}"
        for ct, code in PermissionRow.objects.values_list("content_type__app_label", "codename")
    }
    for code, permission in REGISTRY.items():
        if code in known:
            continue
        app, _, name = code.partition(".")
        content_type, _made = ContentType.objects.get_or_create(app_label=app, model="permission")
        PermissionRow.objects.create(
            content_type=content_type, codename=name, name=str(permission.label)[:255]
        )


def load_roles() -> None:
    """Bring every role and its masks to what the data files say.

    Raises `KeyError` for a permission or a personal field that does not exist.
    """
    sync_permissions()
    rows = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in PermissionRow.objects.select_related("content_type")
    }
    for code, permissions in declared_roles().items():
        role, _made = Role.objects.get_or_create(name=code)
        if permissions == ["*"]:
            role.permissions.set(rows.values())
            continue
        missing = [name for name in permissions if name not in rows]
        if missing:
            raise KeyError(
                f"role {code} names permissions that nobody declares: {', '.join(missing)}"
            )
        role.permissions.set([rows[name] for name in permissions])
    load_masks()
