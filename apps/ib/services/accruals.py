"""From a deal to commission lines: every tier of the day of the deal, every input frozen, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.events import emit
from apps.core.money import exponent
from apps.ib.calculations import (
    DealFacts,
    Line,
    Tier,
    TierMode,
    accrual_lines,
)
from apps.ib.enums import AccrualState
from apps.ib.errors import AlreadyReversed
from apps.ib.events import AccrualReversed, CommissionAccrued
from apps.ib.locks import accrual_locked
from apps.ib.models import Accrual, Attribution, Partner, PlanLine, PlanVersion
from apps.ib.permissions import REVERSE_ACCRUAL
from apps.ib.selectors import ancestors, attribution_at, plan_line_for, plan_version_at
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.market.models import Instrument
from apps.market.selectors import conversion_rate, instrument_get, terms_at
from apps.rules.points import IB_ACCRUAL
from apps.rules.services import Decision, decide


@dataclass(frozen=True, kw_only=True)
class Deal:
    """What an executed deal tells: amounts in the account's currency, costs as positive numbers."""

    deal_id: str
    account_id: UUID
    client_id: UUID
    symbol: str
    lots: Decimal
    spread_cost: Decimal
    commission: Decimal
    currency: str
    executed_at: datetime


@dataclass(frozen=True)
class _Rung:
    """One partner of the chain with everything that was in force on the day of the deal."""

    partner: Partner
    version: PlanVersion
    line: PlanLine
    tier: Tier


@command
def deal_accrue(*, deal: Deal, actor: Actor) -> list[Accrual]:
    """Write what a deal earns for every partner above the client on the day it was executed.

    Called again for the same deal it returns the stored lines: also when the tree, the plan or the client's partner
    has changed since. Raises `NoConversion` when a rate is missing, so that the delivery is repeated.
    """
    client = (
        Client.objects.select_for_update(no_key=True, of=("self",))
        .select_related("entity", "person")
        .get(pk=deal.client_id)
    )
    stored = list(Accrual.objects.filter(deal_id=deal.deal_id, corrects=None))
    if stored:
        return stored
    attribution = attribution_at(deal.client_id, deal.executed_at)
    if attribution is None:
        return []
    instrument = instrument_get(deal.symbol)
    currency, rungs = _chain(attribution, instrument, deal.executed_at)
    if not rungs:
        return []
    facts = _facts(deal, instrument, currency)
    lines = accrual_lines(deal=facts, chain=[rung.tier for rung in rungs])
    written = [
        _write(deal, client, attribution, instrument, rung, line, facts, currency, actor)
        for rung, line in zip(rungs, lines, strict=True)
        if line.exact
    ]
    accruals = [accrual for accrual in written if accrual is not None]
    _post([a for a in accruals if a.state != AccrualState.HELD], f"deal:{deal.deal_id}", actor)
    if accruals:
        emit(CommissionAccrued(deal_id=deal.deal_id, client_id=deal.client_id, lines=len(accruals)))
    return accruals


def _chain(
    attribution: Attribution, instrument: Instrument, at: datetime
) -> tuple[str, list[_Rung]]:
    """The rungs from the client's partner to the root, and the currency in which they are compared."""
    partner_ids = ancestors(attribution.partner_id, at)
    partners = Partner.objects.select_related("client__person").in_bulk(partner_ids)
    asset_class = instrument.asset_class.code
    currency = ""
    rungs: list[_Rung] = []
    for depth, partner_id in enumerate(partner_ids):
        version = plan_version_at(partner_id, at)
        line = plan_line_for(version, asset_class) if version else None
        if version is None or line is None:
            continue
        partner = partners[partner_id]
        currency = currency or version.plan.currency
        tier = Tier(
            beneficiary=str(partner_id),
            depth=depth,
            mode=TierMode(version.plan.tier_mode),
            term=line.term,
            payout_currency=partner.currency,
            payout_exponent=exponent(partner.currency),
            rate_to_calculation=conversion_rate(version.plan.currency, currency),
            rate_to_payout=conversion_rate(currency, partner.currency),
        )
        rungs.append(_Rung(partner, version, line, tier))
    return currency, rungs


def _facts(deal: Deal, instrument: Instrument, currency: str) -> DealFacts:
    to_calculation = conversion_rate(deal.currency, currency)
    return DealFacts(
        lots=deal.lots,
        contract_size=terms_at(instrument, deal.executed_at).contract_size,
        spread_cost=deal.spread_cost * to_calculation,
        commission=deal.commission * to_calculation,
    )


def _write(
    deal: Deal,
    client: Client,
    attribution: Attribution,
    instrument: Instrument,
    rung: _Rung,
    line: Line,
    facts: DealFacts,
    currency: str,
    actor: Actor,
) -> Accrual | None:
    """One line, or None when the rule says that this partner earns nothing on this deal."""
    decision = _decision(deal, client, instrument, rung.partner, actor)
    if decision.refused:
        return None
    accrual = Accrual(
        deal_id=deal.deal_id,
        client_id=deal.client_id,
        account_id=deal.account_id,
        partner=rung.partner,
        introducer_id=attribution.partner_id,
        depth=line.depth,
        plan_version=rung.version,
        symbol=deal.symbol,
        asset_class=instrument.asset_class.code,
        lots=deal.lots,
        kind=line.kind.value,
        mode=line.mode.value,
        base=line.base,
        rate=line.rate,
        rate_currency=rung.version.plan.currency,
        entitlement=line.entitlement,
        paid_below=line.paid_below,
        exact=line.exact,
        fx_rate=line.rate_to_payout,
        currency=line.payout_currency,
        amount_minor=line.amount_minor,
        inputs=_inputs(facts, rung, attribution, currency, deal),
        decision_id=decision.decision_id,
        earned_at=deal.executed_at,
    )
    if not decision.allowed or decision.obligations["hold"]:
        accrual.hold(by=actor, reason="a rule holds it")
    accrual.save(force_insert=True)
    return accrual


def _inputs(
    facts: DealFacts, rung: _Rung, attribution: Attribution, currency: str, deal: Deal
) -> dict[str, Any]:
    return {
        "calculation_currency": currency,
        "attribution": str(attribution.id),
        "plan_line": str(rung.line.id),
        "rates": list(rung.line.rates),
        "reference_contract": str(rung.line.reference_contract or ""),
        "lot_multiplier": str(rung.line.lot_multiplier),
        "rate_to_calculation": str(rung.tier.rate_to_calculation),
        "deal_currency": deal.currency,
        **{name: str(value) for name, value in asdict(facts).items()},
    }


def _decision(
    deal: Deal, client: Client, instrument: Instrument, partner: Partner, actor: Actor
) -> Decision:
    return decide(
        IB_ACCRUAL,
        {
            "asset_class": instrument.asset_class.code,
            "quantity_millilots": deal.lots,
            "partner_state": partner.state,
            "restrictions": sorted(client_restrictions(partner.client_id)),
            "self_referral": partner.client.person_id == client.person_id,
            "symbol": deal.symbol,
            "country": client.country,
        },
        actor=actor,
        subject=partner,
        entity=client.entity.code,
        client_id=client.id,
    )


def _post(accruals: Sequence[Accrual], key: str, actor: Actor) -> None:
    """What the house owes from now on: expense to payable, one transfer for each line."""
    legs = [
        Leg(
            debit=account_for(AccountKind.IB_COMMISSION, accrual.currency),
            credit=payable(accrual.partner_id, accrual.currency),
            amount=accrual.money,
        )
        for accrual in accruals
        if accrual.amount_minor > 0
    ]
    if legs:
        post(kind="ib.accrual", key=f"ib:{key}", legs=legs, actor=actor)


def payable(partner_id: UUID, currency: str) -> Any:
    """The ledger account of what the house owes a partner."""
    return account_for(AccountKind.IB_PAYABLE, currency, f"partner:{partner_id}")


def move(accrual: Accrual, transition: str, *, actor: Actor, reason: str, **values: Any) -> None:
    """One transition of a line, saved. Only what a line may change is written."""
    getattr(accrual, transition)(by=actor, reason=reason, **values)
    accrual.save(update_fields=["state", "payout"])


@command
def accrual_release(*, accrual_id: UUID, actor: Actor, reason: str) -> Accrual:
    """A held line counts from now on. Raises `WrongState`."""
    actor.require(REVERSE_ACCRUAL)
    accrual = accrual_locked(accrual_id, visible_to=actor)
    if accrual.state != AccrualState.HELD:
        raise WrongState(state=accrual.get_state_display(), command="release")
    move(accrual, "release", actor=actor, reason=reason)
    _post([accrual], f"release:{accrual.id}", actor)
    audit(actor=actor, action="accrual.release", subject=accrual, reason=reason)
    return accrual


@command
def accrual_reverse(*, accrual_id: UUID, actor: Actor, reason: str) -> Accrual:
    """Take a line back by a second one with the opposite sign; returns that one.

    Unpaid, both are out of the next payout. In a payout or paid already, the correction is carried into the next.
    Raises `AlreadyReversed`.
    """
    actor.require(REVERSE_ACCRUAL)
    accrual = accrual_locked(accrual_id, visible_to=actor)
    if accrual.corrects_id is not None or hasattr(accrual, "reversal"):
        raise AlreadyReversed
    was_posted = accrual.state != AccrualState.HELD
    correction = Accrual(corrects=accrual, reason=reason)
    for name in _COPIED:
        setattr(correction, name, getattr(accrual, name))
    correction.earned_at = clock.now()
    correction.amount_minor = -accrual.amount_minor
    correction.exact = -accrual.exact
    if accrual.payout_id is None:
        move(accrual, "reverse", actor=actor, reason=reason)
        correction.reverse(by=actor, reason=reason)
    correction.save(force_insert=True)
    if was_posted and accrual.amount_minor:
        leg = Leg(
            debit=payable(accrual.partner_id, accrual.currency),
            credit=account_for(AccountKind.IB_COMMISSION, accrual.currency),
            amount=accrual.money,
        )
        post(
            kind="ib.reversal",
            key=f"ib:reverse:{accrual.id}",
            legs=[leg],
            actor=actor,
            reason=reason,
        )
    audit(
        actor=actor,
        action="accrual.reverse",
        subject=accrual,
        client_id=accrual.partner.client_id,
        after={"correction": correction.id, "amount": str(correction.money)},
        reason=reason,
    )
    emit(
        AccrualReversed(
            partner_id=accrual.partner_id, accrual_id=accrual.id, reversal_id=correction.id
        )
    )
    return correction


_COPIED = (
    "deal_id", "client_id", "account_id", "partner_id", "introducer_id", "depth", "plan_version_id", "symbol",
    "asset_class", "lots", "kind", "mode", "base", "rate", "rate_currency", "entitlement",
    "paid_below", "fx_rate", "currency", "inputs", "decision_id",
)  # fmt: skip
