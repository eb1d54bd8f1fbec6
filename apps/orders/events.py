"""What happened to orders and to the money of trading accounts. Identifiers and plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class DealExecuted(Event):
    """A fill is in the books. Money is in the account's currency; `spread_cost` is the full spread, paid on opening."""

    name = "orders.DealExecuted"
    aggregate = "account_id"

    deal_id: int
    order_id: int
    position_id: int
    account_id: UUID
    client_id: UUID
    symbol: str
    side: str
    entry: str
    quantity_lots: Decimal
    price: Decimal
    book: str
    commission: Decimal
    spread_cost: Decimal
    realized_pnl: Decimal
    currency: str
    executed_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderRejected(Event):
    """An order was refused before it could work, or by the venue; `code` is the reason that decided."""

    name = "orders.OrderRejected"
    aggregate = "account_id"

    order_id: int
    account_id: UUID
    client_id: UUID
    symbol: str
    code: str
    rejected_at: datetime


@dataclass(frozen=True, kw_only=True)
class FundsApplyRequested(Event):
    """Money shall enter (IN) or leave (OUT) a trading account; the engine has not booked it yet."""

    name = "orders.FundsApplyRequested"
    aggregate = "account_id"

    account_id: UUID
    amount_minor: int
    direction: str
    reference: str
    kind: str
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class FundsApplied(Event):
    """The engine has booked money that entered (positive) or left (negative) a trading account."""

    name = "orders.FundsApplied"
    aggregate = "account_id"

    account_id: UUID
    reference: str
    kind: str
    amount: Decimal
    balance: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class KillSwitchSet(Event):
    """Trading was stopped or re-armed for a scope; the engine has to be told."""

    name = "orders.KillSwitchSet"
    aggregate = "scope"

    scope: str
    mode: str
    actor: str
    set_at: datetime
