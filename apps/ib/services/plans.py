"""Commission plans: written in versions, published once, assigned from a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible
from apps.ib.enums import TermKindChoice, TierModeChoice
from apps.ib.errors import CodeTaken, PlanInvalid, RateAboveParent
from apps.ib.locks import partner_locked
from apps.ib.models import Plan, PlanAssignment, PlanLine, PlanVersion
from apps.ib.permissions import MANAGE_PLANS
from apps.ib.selectors import ancestors, plan_line_for, plan_version_at


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line as it is written: rates nearest first, an empty asset class for all others."""

    kind: str
    rates: tuple[str, ...]
    asset_class: str = ""
    reference_contract: Decimal | None = None
    lot_multiplier: Decimal = Decimal(1)


@command
def plan_create(
    *, code: str, name: str, currency: str, tier_mode: str, actor: Actor, reason: str
) -> Plan:
    """A new plan without rates yet. Raises `CodeTaken`."""
    actor.require(MANAGE_PLANS)
    if Plan.objects.filter(code=code).exists():
        raise CodeTaken(code=code)
    if tier_mode not in TierModeChoice.values:
        raise InvalidInput(field="tier_mode", problem=tier_mode)
    plan = Plan(code=code, name=name, currency=currency, tier_mode=tier_mode)
    plan.save_as(actor, reason, action="plan.create")
    return plan


@command
def plan_version_publish(
    *,
    plan_code: str,
    lines: Sequence[LineDraft],
    valid_from: datetime,
    actor: Actor,
    reason: str,
) -> PlanVersion:
    """Put new rates in force from a moment on. What was accrued before stays as it was. Raises `PlanInvalid`."""
    actor.require(MANAGE_PLANS)
    plan = Plan.objects.select_for_update(no_key=True).filter(code=plan_code).first()
    if plan is None:
        raise NotVisible
    _require_sound(lines)
    last = plan.versions.order_by("-number").first()
    if last is not None and last.valid_from >= valid_from:
        raise PlanInvalid(
            problem=f"version {last.number} starts at {last.valid_from:%Y-%m-%d %H:%M} or later"
        )
    version = PlanVersion(plan=plan, number=last.number + 1 if last else 1, valid_from=valid_from)
    version.publish(by=actor, reason=reason)
    version.save_as(actor, reason, action="plan_version.publish")
    for draft in lines:
        PlanLine(
            version=version,
            asset_class=draft.asset_class,
            kind=draft.kind,
            rates=list(draft.rates),
            reference_contract=draft.reference_contract,
            lot_multiplier=draft.lot_multiplier,
        ).save_as(actor, reason, action="plan_line.create")
    return version


def _require_sound(lines: Sequence[LineDraft]) -> None:
    classes = [draft.asset_class for draft in lines]
    if not lines or len(set(classes)) != len(classes):
        raise PlanInvalid(problem="one line for each asset class, and at least one")
    for draft in lines:
        if draft.kind not in TermKindChoice.values:
            raise PlanInvalid(problem=f"no such kind: {draft.kind}")
        for rate in draft.rates:
            _require_rate(draft.kind, rate)
        if not draft.rates:
            raise PlanInvalid(problem="a line needs a rate")


def _require_rate(kind: str, text: str) -> None:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise PlanInvalid(problem=f"{text} is not a number") from None
    share = kind != TermKindChoice.PER_LOT
    if not rate.is_finite() or rate < 0 or (share and rate > 1):
        raise PlanInvalid(problem=f"{text} is not a rate")


@command
def plan_assign(
    *,
    partner_id: UUID,
    plan_code: str,
    actor: Actor,
    reason: str,
    valid_from: datetime | None = None,
) -> PlanAssignment:
    """The plan by which a partner earns from a moment on. Raises `RateAboveParent`, `NotVisible`."""
    actor.require(MANAGE_PLANS)
    partner = partner_locked(partner_id, visible_to=actor)
    return assign_plan(partner.id, plan_code, actor=actor, reason=reason, valid_from=valid_from)


def assign_plan(
    partner_id: UUID, plan_code: str, *, actor: Actor, reason: str, valid_from: datetime | None
) -> PlanAssignment:
    """Part of a command: ends the assignment in force and starts the new one at the same instant."""
    start = valid_from or clock.now()
    plan = Plan.objects.filter(code=plan_code).first()
    if plan is None:
        raise NotVisible
    _require_within_parent(partner_id, plan, start)
    current = PlanAssignment.objects.at(start).filter(partner_id=partner_id).first()
    if current is not None and current.valid_from < start:
        current.valid_to = start
        current.save_as(actor, reason, action="plan_assignment.end")
    elif current is not None:
        raise PlanInvalid(problem="another plan starts at the same instant")
    assignment = PlanAssignment(partner_id=partner_id, plan=plan, valid_from=start)
    assignment.save_as(actor, reason, action="plan_assignment.create")
    return assignment


def _require_within_parent(partner_id: UUID, plan: Plan, at: datetime) -> None:
    """A differential chain in which a child earns more than its parent would leave the parent nothing."""
    chain = ancestors(partner_id, at)
    if len(chain) < 2 or plan.tier_mode != TierModeChoice.DIFFERENTIAL:
        return
    above = plan_version_at(chain[1], at)
    own = plan.versions.filter(valid_from__lte=at).order_by("-valid_from").first()
    if above is None or own is None or above.plan.currency != plan.currency:
        return
    for line in own.lines.all():
        other = plan_line_for(above, line.asset_class)
        if other is None or other.kind != line.kind:
            continue
        if line.term.rates[0] > other.term.rates[0]:
            raise RateAboveParent(rate=line.rates[0], above=other.rates[0])
