"""Commission plans with the rates in force, carried between installations by their code."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.config import Change, ConfigKind, Items, register_config
from apps.core.config_rows import plain
from apps.ib.enums import VersionState
from apps.ib.models import Plan
from apps.ib.services.plans import LineDraft, plan_create, plan_version_publish

SYSTEM = Actor.system("config")


class LineData(msgspec.Struct, forbid_unknown_fields=True):
    asset_class: str
    kind: str
    rates: list[str]
    reference_contract: str | None
    lot_multiplier: str


class PlanData(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    currency: str
    tier_mode: str
    lines: list[LineData]


def plans_export() -> Items:
    return {plan.code: _values(plan) for plan in Plan.objects.all()}


def _values(plan: Plan) -> dict[str, Any]:
    version = (
        plan.versions.filter(state=VersionState.IN_FORCE, valid_from__lte=clock.now())
        .order_by("-number")
        .first()
    )
    rows = version.lines.order_by("asset_class") if version is not None else ()
    lines = [
        {
            "asset_class": row.asset_class,
            "kind": row.kind,
            "rates": [str(rate) for rate in row.rates],
            "reference_contract": plain(row.reference_contract),
            "lot_multiplier": plain(row.lot_multiplier),
        }
        for row in rows
    ]
    head = {"name": plan.name, "currency": plan.currency, "tier_mode": plan.tier_mode}
    return {**head, "lines": lines}


def plan_apply(change: Change, actor: Actor, reason: str) -> None:
    """New rates are a new version from now on; what was accrued before stays as it was."""
    assert change.after is not None
    head = {name: change.after[name] for name in ("name", "currency", "tier_mode")}
    plan = Plan.objects.filter(code=change.key).first()
    if plan is None:
        plan = plan_create(code=change.key, actor=SYSTEM, reason=reason, **head)
    elif any(getattr(plan, name) != value for name, value in head.items()):
        for name, value in head.items():
            setattr(plan, name, value)
        plan.full_clean()
        plan.save_as(actor, reason, action="config.change")
    if change.before is None or change.before["lines"] != change.after["lines"]:
        plan_version_publish(
            plan_code=plan.code,
            lines=[_draft(line) for line in change.after["lines"]],
            valid_from=clock.now(),
            actor=SYSTEM,
            reason=reason,
        )


def _draft(line: dict[str, Any]) -> LineDraft:
    contract = line["reference_contract"]
    return LineDraft(
        kind=line["kind"],
        rates=tuple(line["rates"]),
        asset_class=line["asset_class"],
        reference_contract=None if contract is None else Decimal(contract),
        lot_multiplier=Decimal(line["lot_multiplier"]),
    )


register_config(
    ConfigKind("ib.plans", _("Commission plans"), PlanData, plans_export, plan_apply, order=70)
)
