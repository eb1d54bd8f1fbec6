"""Writing the catalogue: create what is missing, change what differs, delete nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.accounts.catalogue import Catalogue
from apps.accounts.models import (
    AccountGroup,
    AccountType,
    AccountTypeGroup,
    Platform,
    PlatformServer,
)
from apps.core.actor import Actor
from apps.core.commands import command


@command
def catalogue_load(*, catalogue: Catalogue, actor: Actor, reason: str) -> list[str]:
    """Bring the catalogue to what the file says; returns the codes that were created or changed."""
    changed: list[str] = []
    for row in catalogue.platforms:
        _bring(Platform, {"code": row["code"]}, row, actor, reason, changed)
    platforms = {row.code: row for row in Platform.objects.all()}
    for row in catalogue.servers:
        values = {**row, "platform": platforms[row["platform"]]}
        _bring(PlatformServer, {"code": row["code"]}, values, actor, reason, changed)
    servers = {row.code: row for row in PlatformServer.objects.all()}
    for row in catalogue.groups:
        values = {**row, "server": servers[row["server"]]}
        key = {"server": values["server"], "code": row["code"]}
        _bring(AccountGroup, key, values, actor, reason, changed)
    groups = {
        (row.server.code, row.code): row for row in AccountGroup.objects.select_related("server")
    }
    for row in catalogue.types:
        values = {k: v for k, v in row.items() if k != "groups"}
        values["server"] = servers[row["server"]]
        account_type = _bring(AccountType, {"code": row["code"]}, values, actor, reason, changed)
        for currency, group in row["groups"].items():
            pair = {"account_type": account_type, "currency": currency}
            target = {**pair, "group": groups[row["server"], group]}
            _bring(AccountTypeGroup, pair, target, actor, reason, changed)
    return changed


def _bring(
    model: Any,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    actor: Actor,
    reason: str,
    changed: list[str],
) -> Any:
    row = model.objects.filter(**key).first()
    if row is None:
        row = model(**values)
    elif all(getattr(row, name) == value for name, value in values.items()):
        return row
    else:
        for name, value in values.items():
            setattr(row, name, value)
    row.save_as(actor, reason)
    changed.append(str(values.get("code", row)))
    return row
