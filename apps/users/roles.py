"""Roles are data: `data/roles.toml` names the permissions of each."""

from __future__ import annotations

import tomllib
from pathlib import Path

from django.contrib.auth.models import Permission as PermissionRow
from django.contrib.contenttypes.models import ContentType

from apps.core.permissions import REGISTRY
from apps.users.models import Role

ROLES_FILE = Path(__file__).parent / "data" / "roles.toml"


def declared_roles() -> dict[str, list[str]]:
    """Role code → permission codes, as the data file says; `*` means every permission."""
    with ROLES_FILE.open("rb") as file:
        return {code: list(role["permissions"]) for code, role in tomllib.load(file).items()}


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
    """Bring every role to what the data file says. Raises `KeyError` for a permission that does not exist."""
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
