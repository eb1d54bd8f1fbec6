"""The catalogue file: platforms, servers, groups and account types as data, checked before anything is written."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.accounts.enums import AccountMode, PlatformKind, ServerEnvironment
from apps.accounts.errors import CatalogueInvalid

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Catalogue:
    platforms: list[dict[str, Any]]
    servers: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    types: list[dict[str, Any]]


def read_catalogue(path: Path) -> Catalogue:
    """Parse and check a file. Raises `CatalogueInvalid` naming the line that is wrong."""
    raw = tomllib.loads(path.read_text("utf-8"))
    catalogue = Catalogue(
        platforms=raw.get("platform", []),
        servers=raw.get("server", []),
        groups=raw.get("group", []),
        types=raw.get("account_type", []),
    )
    _require_known(catalogue)
    return catalogue


def _require_known(catalogue: Catalogue) -> None:
    platforms = {row["code"] for row in catalogue.platforms}
    servers = {row["code"] for row in catalogue.servers}
    groups = {(row["server"], row["code"]): row["currency"] for row in catalogue.groups}
    for row in catalogue.platforms:
        _require(row["kind"] in PlatformKind.values, row["code"], f"no adapter {row['kind']}")
    for row in catalogue.servers:
        _require(row["platform"] in platforms, row["code"], f"no platform {row['platform']}")
        known = row["environment"] in ServerEnvironment.values
        _require(known, row["code"], f"no environment {row['environment']}")
    for row in catalogue.groups:
        _require(row["server"] in servers, row["code"], f"no server {row['server']}")
    for row in catalogue.types:
        _require_type(row, servers, groups)


def _require_type(
    row: dict[str, Any], servers: set[str], groups: dict[tuple[str, str], str]
) -> None:
    _require(row["server"] in servers, row["code"], f"no server {row['server']}")
    _require(row["mode"] in AccountMode.values, row["code"], f"no mode {row['mode']}")
    leverages = row["leverages"]
    sound = bool(leverages) and leverages == sorted(set(leverages)) and leverages[0] >= 1
    _require(sound, row["code"], "leverages ascend from 1 and are unique")
    _require(bool(row["groups"]), row["code"], "no currency has a group")
    for currency, group in row["groups"].items():
        held = groups.get((row["server"], group))
        _require(held is not None, row["code"], f"no group {group} on {row['server']}")
        _require(held == currency, row["code"], f"group {group} is in {held}, not {currency}")


def _require(condition: bool, where: str, problem: str) -> None:
    if not condition:
        raise CatalogueInvalid(where=where, problem=problem)
