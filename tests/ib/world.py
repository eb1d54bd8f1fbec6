"""Partners, clients and deals that stories about commission need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.ib.models import Accrual, Partner
from apps.ib.services import (
    LineDraft,
    partner_apply,
    partner_approve,
    plan_create,
    plan_version_publish,
)
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.market.models import AssetClass, Instrument, MarginClass, TradingCalendar
from apps.orders.events import DealExecuted
from tests.accounts.world import SYSTEM, client_of, staff

D = Decimal
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MANAGER = staff("ib.manage_partners", "ib.manage_tree", "ib.manage_plans", "ib.reverse_accrual")
_deals = count(1001)

__all__ = ["MANAGER", "START", "SYSTEM", "client_of", "staff"]


def day(number: int) -> datetime:
    """Morning of the n-th day of the story."""
    return START + timedelta(days=number)


def instrument(symbol: str = "EURUSD", asset_class: str = "FX", contract: str = "100000") -> None:
    kind, _ = AssetClass.objects.get_or_create(code=asset_class, defaults={"name": asset_class})
    margin, _ = MarginClass.objects.get_or_create(
        code="FX_MAJOR", defaults={"name": "x", "retail_leverage": 30}
    )
    calendar, _ = TradingCalendar.objects.get_or_create(
        code="FX", defaults={"name": "x", "timezone": "UTC"}
    )
    Instrument.objects.create(
        symbol=symbol,
        name=symbol,
        asset_class=kind,
        margin_class=margin,
        calendar=calendar,
        base=symbol[:3],
        quote=symbol[3:],
        contract_size=D(contract),
        digits=5,
        tick_size=D("0.00001"),
        lot_step=D("0.01"),
        min_lot=D("0.01"),
        max_lot=D("100"),
        reference_price=D("1.08"),
    )


def plan(
    code: str, *rates: str, kind: str = "PER_LOT", mode: str = "DIFFERENTIAL", **more: Any
) -> str:
    """A plan in USD in force since long before the story."""
    plan_create(
        code=code,
        name=code,
        currency=more.pop("currency", "USD"),
        tier_mode=mode,
        actor=MANAGER,
        reason="test",
    )
    plan_version_publish(
        plan_code=code,
        lines=[LineDraft(kind=kind, rates=rates, **more)],
        valid_from=START - timedelta(days=400),
        actor=MANAGER,
        reason="test",
    )
    return code


def partner(
    code: str, plan_code: str = "", under: Partner | None = None, currency: str = "USD"
) -> Partner:
    """An active partner; `under` introduced its client."""
    from apps.ib.services import client_attribute

    client = client_of("BOS-INT")
    with clock.frozen(START - timedelta(days=30)):
        if under is not None:
            client_attribute(client_id=client.id, partner_code=under.code, actor=SYSTEM)
        applied = partner_apply(
            client_id=client.id, code=code, name=code.title(), currency=currency, actor=SYSTEM
        )
        if plan_code:
            partner_approve(
                partner_id=applied.id, plan_code=plan_code, actor=MANAGER, reason="welcome"
            )
    return Partner.objects.get(pk=applied.pk)


def introduced_by(partner: Partner, at: datetime = START):
    from apps.ib.services import client_attribute

    client = client_of("BOS-INT")
    with clock.frozen(at):
        client_attribute(client_id=client.id, partner_code=partner.code, actor=SYSTEM)
    return client


def deal_event(client, lots: str, at: datetime, **values: Any) -> DealExecuted:
    defaults: dict[str, Any] = {
        "deal_id": next(_deals),
        "order_id": 1,
        "position_id": 1,
        "account_id": uuid4(),
        "client_id": client.id,
        "symbol": "EURUSD",
        "side": "BUY",
        "entry": "IN",
        "quantity_lots": D(lots),
        "price": D("1.08"),
        "book": "B",
        "commission": D(0),
        "spread_cost": D(0),
        "realized_pnl": D(0),
        "currency": "USD",
        "executed_at": at,
    }
    return DealExecuted(**(defaults | values))


@command
def tell(*, event: Any) -> None:
    """Put an event into the outbox as its own app would."""
    emit(event)


def earned(partner: Partner) -> Decimal:
    """What the partner's lines sum to, corrections included."""
    rows = Accrual.objects.filter(partner=partner).earned()
    return sum((row.money.amount for row in rows), D(0))


def owed_by_ledger(partner: Partner) -> Decimal:
    return balance_of(
        account_for(AccountKind.IB_PAYABLE, partner.currency, f"partner:{partner.id}")
    ).posted.amount


def actor_of(partner: Partner) -> Actor:
    from apps.core.actor import ActorKind

    return Actor(
        ActorKind.PARTNER,
        f"user:{partner.code}",
        partner.code,
        partner_ids=frozenset({partner.id}),
        client_ids=frozenset({partner.client_id}),
    )
