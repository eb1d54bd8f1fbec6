"""Roles are held by grants: nobody writes the tables behind them past the services."""

from __future__ import annotations

import ast

from django.conf import settings

from apps.users.duties import conflicts_declared
from apps.users.roles import declared_roles, outside_roles


def test_nobody_gives_roles_or_permissions_past_the_services():
    offenders = []
    for path in sorted((settings.BASE_DIR / "apps").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"add", "set", "remove", "clear"}
                and isinstance(node.func.value, ast.Attribute)
                and node.func.value.attr in {"groups", "user_permissions"}
            ):
                offenders.append(f"{path.relative_to(settings.BASE_DIR)}:{node.lineno}")
    assert offenders == []


def test_duties_name_roles_that_exist():
    staff = set(declared_roles()) - outside_roles()
    named = {
        role for conflict in conflicts_declared() for role in (conflict.first, conflict.second)
    }
    assert named - {"*"} <= staff
