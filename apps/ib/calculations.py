"""What each partner earns on one deal: plain values in, plain values out.

Nothing here reads a clock, a database or a rate: the caller freezes those inputs and stores them beside the
result, so a commission line can be recomputed years later from its own row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum

ZERO = Decimal(0)


class TermKind(StrEnum):
    """What a rate is multiplied with."""

    PER_LOT = "PER_LOT"
    SPREAD_SHARE = "SPREAD_SHARE"
    REVENUE_SHARE = "REVENUE_SHARE"


class TierMode(StrEnum):
    """How an ancestor's part relates to what the partners below it earn."""

    OVERRIDE = "OVERRIDE"
    DIFFERENTIAL = "DIFFERENTIAL"


@dataclass(frozen=True, kw_only=True)
class DealFacts:
    """One executed deal. Amounts are in the currency of the calculation."""

    lots: Decimal
    contract_size: Decimal
    spread_cost: Decimal
    commission: Decimal


@dataclass(frozen=True, kw_only=True)
class Term:
    """One line of a plan version.

    `rates[0]` is for the partner's own clients, `rates[1]` for clients of a direct sub-partner, and so on; a
    differential plan uses `rates[0]` only. Per-lot rates are money per standard lot, shares are ratios.
    """

    kind: TermKind
    rates: tuple[Decimal, ...]
    reference_contract: Decimal | None = None
    lot_multiplier: Decimal = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One ancestor on the day of the deal. `depth` 0 introduced the client."""

    beneficiary: str
    depth: int
    mode: TierMode
    term: Term
    payout_currency: str
    payout_exponent: int
    rate_to_calculation: Decimal = Decimal(1)
    rate_to_payout: Decimal = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One beneficiary's part with every number that led to it."""

    beneficiary: str
    depth: int
    kind: TermKind
    mode: TierMode
    base: Decimal
    rate: Decimal
    entitlement: Decimal
    paid_below: Decimal
    exact: Decimal
    rate_to_payout: Decimal
    payout_currency: str
    amount_minor: int


def standard_lots(
    *,
    lots: Decimal,
    contract_size: Decimal,
    reference_contract: Decimal | None,
    multiplier: Decimal,
) -> Decimal:
    """Lots normalised to the reference contract, so that a cent account does not earn a full lot's rate."""
    if reference_contract is None:
        return lots * multiplier
    return lots * contract_size / reference_contract * multiplier


def base_of(term: Term, deal: DealFacts) -> Decimal:
    """The quantity that the rate multiplies: standard lots, the spread paid, or spread + commission."""
    if term.kind is TermKind.PER_LOT:
        return standard_lots(
            lots=deal.lots,
            contract_size=deal.contract_size,
            reference_contract=term.reference_contract,
            multiplier=term.lot_multiplier,
        )
    if term.kind is TermKind.SPREAD_SHARE:
        return deal.spread_cost
    return deal.spread_cost + deal.commission


def rate_of(tier: Tier) -> Decimal:
    """The rate in force for a tier: by depth for an override plan, the partner's own for a differential one."""
    if tier.mode is TierMode.DIFFERENTIAL:
        return tier.term.rates[0] if tier.term.rates else ZERO
    return tier.term.rates[tier.depth] if tier.depth < len(tier.term.rates) else ZERO


def accrual_lines(*, deal: DealFacts, chain: Sequence[Tier]) -> list[Line]:
    """What every ancestor of the client earns on `deal`, nearest first; nobody earns less than nothing.

    Override: each ancestor earns its own rate for its distance. Differential: each earns the difference between
    its entitlement and the largest one below it, so the chain costs the house its highest rate and no more.
    Parts are rounded by largest remainder within one payout currency: they sum to the rounded whole.
    """
    lines: list[Line] = []
    reached = ZERO
    for tier in sorted(chain, key=lambda each: each.depth):
        base = base_of(tier.term, deal)
        rate = rate_of(tier)
        entitlement = base * rate
        if tier.term.kind is TermKind.PER_LOT:
            entitlement *= tier.rate_to_calculation
        entitlement = max(ZERO, entitlement)
        below = reached if tier.mode is TierMode.DIFFERENTIAL else ZERO
        earned = max(ZERO, entitlement - below)
        if tier.mode is TierMode.DIFFERENTIAL or tier.depth == 0:
            reached = max(reached, entitlement)
        lines.append(
            Line(
                beneficiary=tier.beneficiary,
                depth=tier.depth,
                kind=tier.term.kind,
                mode=tier.mode,
                base=base,
                rate=rate,
                entitlement=entitlement,
                paid_below=below,
                exact=earned * tier.rate_to_payout,
                rate_to_payout=tier.rate_to_payout,
                payout_currency=tier.payout_currency,
                amount_minor=0,
            )
        )
    exponents = {tier.payout_currency: tier.payout_exponent for tier in chain}
    return _rounded(lines, exponents)


def _rounded(lines: list[Line], exponents: Mapping[str, int]) -> list[Line]:
    amounts: dict[int, int] = {}
    for currency, places in exponents.items():
        members = [i for i, line in enumerate(lines) if line.payout_currency == currency]
        shares = [(lines[i].beneficiary, lines[i].exact.scaleb(places)) for i in members]
        amounts.update(zip(members, largest_remainder(shares), strict=True))
    return [
        Line(
            **{
                **{f: getattr(line, f) for f in line.__dataclass_fields__},
                "amount_minor": amounts[i],
            }
        )
        for i, line in enumerate(lines)
    ]


def largest_remainder(shares: Sequence[tuple[str, Decimal]]) -> list[int]:
    """Round exact shares to whole units so that they sum to the rounded total.

    Every share gets its floor; the missing units go to the largest fractions, ties to the lowest id. The total
    is rounded half even, as everything that becomes a row.
    """
    total = int(sum((exact for _, exact in shares), ZERO).to_integral_value(ROUND_HALF_EVEN))
    floors = [int(exact.to_integral_value(ROUND_FLOOR)) for _, exact in shares]
    missing = total - sum(floors)
    order = sorted(range(len(shares)), key=lambda i: (-(shares[i][1] - floors[i]), shares[i][0]))
    for position in order[:missing]:
        floors[position] += 1
    return floors


@dataclass(frozen=True, kw_only=True)
class Edge:
    """`child` works under `parent` from `valid_from` (inclusive) until `valid_to` (exclusive, open when None)."""

    parent: str
    child: str
    valid_from: datetime
    valid_to: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


def ancestors_at(*, start: str, edges: Iterable[Edge], at: datetime) -> list[str]:
    """The chain from `start` (first) to its root on that instant. Stops rather than turning in a circle."""
    parent_of = {edge.child: edge.parent for edge in edges if edge.covers(at)}
    chain = [start]
    while (parent := parent_of.get(chain[-1])) is not None and parent not in chain:
        chain.append(parent)
    return chain


def closes_a_cycle(*, new: Edge, edges: Iterable[Edge]) -> bool:
    """Whether `new` would make a partner its own ancestor at any instant of its validity."""
    held = list(edges)
    frontier = [(new.parent, new.valid_from, new.valid_to)]
    seen: set[tuple[str, datetime, datetime | None]] = set()
    while frontier:
        node, start, end = frontier.pop()
        if node == new.child:
            return True
        if (node, start, end) in seen:
            continue
        seen.add((node, start, end))
        for edge in held:
            overlap = _overlap(start, end, edge) if edge.child == node else None
            if overlap is not None:
                frontier.append((edge.parent, *overlap))
    return False


def _overlap(
    start: datetime, end: datetime | None, edge: Edge
) -> tuple[datetime, datetime | None] | None:
    first = max(start, edge.valid_from)
    ends = [moment for moment in (end, edge.valid_to) if moment is not None]
    last = min(ends) if ends else None
    return None if last is not None and first >= last else (first, last)
