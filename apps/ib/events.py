"""What happened to partners and their money. Identifiers only."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class PartnerActivated(Event):
    name = "ib.PartnerActivated"
    aggregate = "partner_id"

    partner_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class PartnerSuspended(Event):
    name = "ib.PartnerSuspended"
    aggregate = "partner_id"

    partner_id: UUID


@dataclass(frozen=True, kw_only=True)
class ClientAttributed(Event):
    """From now on this client's deals are the partner's."""

    name = "ib.ClientAttributed"
    aggregate = "client_id"

    client_id: UUID
    partner_id: UUID
    attribution_id: UUID


@dataclass(frozen=True, kw_only=True)
class CommissionAccrued(Event):
    """A deal earned commission; `lines` partners got a line each."""

    name = "ib.CommissionAccrued"
    aggregate = "deal_id"

    deal_id: str
    client_id: UUID
    lines: int


@dataclass(frozen=True, kw_only=True)
class AccrualReversed(Event):
    name = "ib.AccrualReversed"
    aggregate = "partner_id"

    partner_id: UUID
    accrual_id: UUID
    reversal_id: UUID


@dataclass(frozen=True, kw_only=True)
class PayoutPaid(Event):
    name = "ib.PayoutPaid"
    aggregate = "partner_id"

    partner_id: UUID
    payout_id: UUID
