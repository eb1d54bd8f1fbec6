"""Providers and methods as data."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.locks import lock_row
from apps.core.money import to_minor
from apps.payments.enums import Method, ProviderKind
from apps.payments.errors import CatalogueInvalid
from apps.payments.models import PaymentMethod, PaymentProvider
from apps.payments.permissions import CONFIGURE_PROVIDER

FILE = Path(__file__).parents[1] / "data" / "providers.toml"


def providers_read(path: Path = FILE) -> list[dict[str, Any]]:
    """The catalogue, checked: a provider or method that nobody implements fails here with its place."""
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["provider"]
    for row in rows:
        if row["kind"] not in ProviderKind.values:
            raise CatalogueInvalid(where=row["code"], problem=f"no adapter for {row['kind']}")
        for method in row["method"]:
            if method["method"] not in Method.values:
                raise CatalogueInvalid(where=row["code"], problem=f"no method {method['method']}")
    return rows


@command
def providers_load(*, rows: list[dict[str, Any]], actor: Actor, reason: str) -> list[str]:
    """Create what is missing, change what differs, delete nothing; returns what was created or changed.

    Whether a provider is switched on is the house's daily decision and stays as it is.
    """
    changed: list[str] = []
    for row in rows:
        values = {"code": row["code"], "name": row["name"], "kind": row["kind"]}
        provider = _bring(PaymentProvider, {"code": row["code"]}, values, actor, reason, changed)
        for method in row["method"]:
            for currency in method["currencies"]:
                key = {"provider": provider, "method": method["method"], "currency": currency}
                values = {**key, **_figures(method, currency)}
                _bring(PaymentMethod, key, values, actor, reason, changed)
    return changed


def _figures(method: dict[str, Any], currency: str) -> dict[str, Any]:
    figures: dict[str, Any] = {"entities": list(method["entities"])}
    for side in ("deposit", "payout"):
        terms = method[side]
        figures |= {
            f"{side}_min_minor": Decimal(to_minor(Decimal(terms["min"]), currency)),
            f"{side}_max_minor": Decimal(to_minor(Decimal(terms["max"]), currency)),
            f"{side}_fee_percent": Decimal(terms["fee_percent"]),
            f"{side}_fee_fixed_minor": Decimal(to_minor(Decimal(terms["fee_fixed"]), currency)),
            f"{side}_time": terms["time"],
        }
    return figures


def _bring(
    model: Any,
    key: dict[str, Any],
    values: dict[str, Any],
    actor: Actor,
    reason: str,
    changed: list[str],
) -> Any:
    row = model.objects.filter(**key).first()
    if row is None:
        row = model(**values)
    elif all(getattr(row, name) == value for name, value in values.items()):
        return row
    for name, value in values.items():
        setattr(row, name, value)
    row.save_as(actor, reason)
    changed.append(str(row))
    return row


@command
def provider_switch(
    *, provider_id: UUID, takes_deposits: bool, sends_payouts: bool, actor: Actor, reason: str
) -> PaymentProvider:
    """Open or close a provider for new deposits and payouts; what is under way goes on."""
    provider = lock_row(PaymentProvider.objects.all(), provider_id, visible_to=actor)
    actor.require(CONFIGURE_PROVIDER)
    provider.takes_deposits = takes_deposits
    provider.sends_payouts = sends_payouts
    provider.save_as(actor, reason, action="provider.switch")
    return provider
