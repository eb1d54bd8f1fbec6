"""Writes: everything goes through the engine, which answers after it has committed.

Orders are not a database transaction of the caller. The engine owns orders, positions and the money of trading
accounts; these functions check access, ask the rules, turn lots and prices into integers, and wait for the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.accounts.models import TradingAccount
from apps.accounts.selectors import account_get
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import NotVisible
from apps.core.events import emit
from apps.core.money import Money
from apps.market.models import Instrument
from apps.orders.adapters.protocol import VenueReport
from apps.orders.engine.commands import (
    CancelOrder,
    DayEnded,
    FundsReserve,
    NewOrder,
    VenueReported,
)
from apps.orders.engine.result import Reply
from apps.orders.enums import KillSwitchMode, OrderStatus, OrderType, Side, TimeInForce
from apps.orders.errors import (
    AccountNotInEngine,
    CancelPending,
    EngineRefused,
    EngineSilent,
    FreeMarginTooLow,
    InvalidPrice,
    InvalidQuantity,
    OrderTooLate,
    sentence_for,
)
from apps.orders.events import FundsApplyRequested, KillSwitchSet
from apps.orders.host import shards
from apps.orders.host.gate import WAIT_SECONDS, ask
from apps.orders.host.reference import account_command
from apps.orders.host.units import to_us
from apps.orders.models import ChildOrder, EngineAccount, Order, Position
from apps.orders.permissions import CANCEL_ORDER, SET_KILL_SWITCH, SUBMIT_ORDER
from apps.rules.points import ORDER_BOOK, ORDER_PERMISSION
from apps.rules.services import Decision, decide

MAX_STEPS = 10**13


@dataclass(frozen=True, slots=True)
class OrderReply:
    """Where an order stands after the engine's answer. `failing` are the codes of every check that failed."""

    accepted: bool
    order_id: int | None
    status: str
    code: str
    text: str
    filled_lots: Decimal
    open_lots: Decimal
    average_price: Decimal | None
    position_id: int | None
    duplicate: bool
    failing: tuple[str, ...] = ()

    def raise_unless_accepted(self) -> None:
        """Raises `EngineRefused` with the engine's own code."""
        if not self.accepted:
            raise EngineRefused(self.code, order=self.order_id or "", detail=self.text)


def order_submit(
    *,
    account_id: UUID,
    client_order_id: str,
    symbol: str,
    side: Side | str,
    type: OrderType | str,
    quantity: Decimal,
    actor: Actor,
    limit_price: Decimal | None = None,
    tif: TimeInForce | str | None = None,
    position_id: int | None = None,
    source: str = "",
    wait: float = WAIT_SECONDS,
) -> OrderReply:
    """Place an order and return where it stands once that is committed.

    The same `client_order_id` with the same content returns the first order; with other content it is refused. A
    refusal of the engine is an answer, not an exception: it is a stored order with its reasons. Raises `NotVisible`,
    `NotAllowed`, `RefusedByRule`, `InvalidQuantity`, `InvalidPrice`, `EngineSilent`.
    """
    account = account_get(account_id, actor=actor)
    actor.require(SUBMIT_ORDER, account)
    instrument = _instrument(symbol)
    side = _side(side)
    steps = _steps(quantity, instrument)
    price = _points(limit_price, instrument)
    closing = position_id is not None
    decision = _permission(account, instrument, side, quantity, closing, source, actor)
    decision.raise_unless_allowed()
    book = _book(account, instrument, quantity, actor) if not closing else ""
    reply = ask(
        shards.shard_of(account.id),
        NewOrder(
            at=to_us(clock.now()),
            account=str(account.id),
            client_order_id=client_order_id[:64],
            symbol=symbol[:24],
            side=side.value,
            order_type=_order_type(type),
            steps=steps,
            price=price,
            tif=_tif(tif, type),
            position=position_id or 0,
            book=book,
            source=source[:24],
        ),
        wait=wait,
    )
    return _order_reply(reply, instrument)


def _instrument(symbol: str) -> Instrument:
    found = Instrument.objects.select_related("asset_class").filter(symbol=symbol).first()
    if found is None:
        raise EngineRefused("INSTRUMENT_UNKNOWN", symbol=symbol)
    return found


def _side(side: Side | str) -> Side:
    return side if isinstance(side, Side) else Side[str(side).upper()]


def _order_type(kind: OrderType | str) -> str:
    return kind.value if isinstance(kind, OrderType) else OrderType[str(kind).upper()].value


def _tif(tif: TimeInForce | str | None, kind: OrderType | str) -> str:
    if tif is None:
        market = _order_type(kind) == OrderType.MARKET
        return TimeInForce.IOC.value if market else TimeInForce.GTC.value
    return tif.value if isinstance(tif, TimeInForce) else TimeInForce[str(tif).upper()].value


def _steps(quantity: Decimal, instrument: Instrument) -> int:
    steps = quantity / instrument.lot_step
    if steps != steps.to_integral_value() or not 0 < steps < MAX_STEPS:
        raise InvalidQuantity(quantity=quantity, step=instrument.lot_step)
    return int(steps)


def _points(price: Decimal | None, instrument: Instrument) -> int:
    if price is None:
        return 0
    points = price.scaleb(instrument.digits)
    if points != points.to_integral_value() or not 0 < points < MAX_STEPS:
        raise InvalidPrice(price=price, symbol=instrument.symbol)
    return int(points)


def _permission(
    account: TradingAccount,
    instrument: Instrument,
    side: Side,
    quantity: Decimal,
    closing: bool,
    source: str,
    actor: Actor,
) -> Decision:
    """Ask the rules whether this client may trade this now; the receipt is kept whatever the answer."""
    client = account.client
    with transaction.atomic():
        return decide(
            ORDER_PERMISSION,
            {
                "restrictions": sorted(client_restrictions(client.id)),
                "asset_class": instrument.asset_class.code,
                "symbol": instrument.symbol,
                "side": side.name,
                "country": client.country,
                "category": client.category,
                "account_state": account.state,
                "source": source,
                "increases_exposure": not closing
                and not _netting_reduces(account, instrument, side, quantity),
                "quantity_millilots": int(quantity * 1000),
                "appropriateness": client.appropriateness,
                "risk_rating": client.risk_rating,
            },
            actor=actor,
            subject=account,
            entity=client.entity.code,
            client_id=client.id,
        )


def _netting_reduces(
    account: TradingAccount, instrument: Instrument, side: Side, quantity: Decimal
) -> bool:
    if account.mode != "NETTING":
        return False
    held = Position.objects.open().filter(account_id=account.id, symbol=instrument.symbol).first()
    return held is not None and held.side != side and held.lots >= quantity


def _book(account: TradingAccount, instrument: Instrument, quantity: Decimal, actor: Actor) -> str:
    """A (external) or B (house), by rule."""
    client = account.client
    with transaction.atomic():
        decision = decide(
            ORDER_BOOK,
            {
                "symbol": instrument.symbol,
                "asset_class": instrument.asset_class.code,
                "quantity_millilots": int(quantity * 1000),
                "category": client.category,
                "account_group": account.group.code,
                "country": client.country,
            },
            actor=actor,
            subject=account,
            entity=client.entity.code,
            client_id=client.id,
        )
    return str(decision.obligations.get("book") or "")


def _order_reply(reply: Reply, instrument: Instrument) -> OrderReply:
    """The engine's integers as lots and prices; a repeated request is answered from its stored order."""
    if reply.duplicate and not reply.status:
        return order_reply_of(Order.objects.get(pk=reply.order), duplicate=True)
    average = None
    if reply.cum:
        average = (Decimal(reply.notional) / reply.cum).scaleb(-instrument.digits)
        average = average.quantize(Decimal(1).scaleb(-instrument.digits - 1))
    return OrderReply(
        accepted=reply.ok,
        order_id=reply.order or None,
        status=reply.status,
        code=reply.code,
        text=sentence_for(reply.code) if reply.code else "",
        filled_lots=instrument.lot_step * reply.cum,
        open_lots=instrument.lot_step * reply.leaves,
        average_price=average,
        position_id=reply.position or None,
        duplicate=reply.duplicate,
        failing=reply.failing,
    )


def order_reply_of(order: Order, *, duplicate: bool = False) -> OrderReply:
    """The same answer, read from the stored order."""
    return OrderReply(
        accepted=order.status != OrderStatus.REJECTED,
        order_id=order.id,
        status=order.status,
        code=order.code,
        text=sentence_for(order.code) if order.code else "",
        filled_lots=order.filled_lots,
        open_lots=order.open_lots,
        average_price=order.average_price,
        position_id=order.opened or order.position or None,
        duplicate=duplicate,
        failing=tuple(order.failing),
    )


def order_cancel(
    *, order_id: int, actor: Actor, reason: str = "", wait: float = WAIT_SECONDS
) -> Order:
    """Cancel what is open of an order.

    Raises `NotVisible`, `NotAllowed`, `OrderTooLate`, `CancelPending`, `EngineSilent`.
    """
    order = Order.objects.visible_to(actor).select_related("account").filter(pk=order_id).first()
    if order is None:
        raise NotVisible
    actor.require(CANCEL_ORDER, order)
    shard = shards.shard_of(order.account_id)
    reply = ask(
        shard,
        CancelOrder(at=to_us(clock.now()), account=str(order.account_id), order=order.id),
        wait=wait,
    )
    if not reply.ok:
        raise _cancel_refusal(reply)
    if actor.user_id is not None:
        with transaction.atomic():
            audit(
                actor=actor,
                action="order.cancel",
                subject=order,
                client_id=order.account.client_id,
                reason=reason,
            )
    return Order.objects.get(pk=order.id)


def _cancel_refusal(reply: Reply) -> Exception:
    if reply.code == OrderTooLate.code:
        return OrderTooLate()
    if reply.code == CancelPending.code:
        return CancelPending()
    return EngineRefused(reply.code)


def position_close(
    *,
    position_id: int,
    client_order_id: str,
    actor: Actor,
    quantity: Decimal | None = None,
    source: str = "",
) -> OrderReply:
    """Close a position, or `quantity` lots of it, at market. Raises what `order_submit` raises."""
    position = Position.objects.visible_to(actor).filter(pk=position_id).first()
    if position is None:
        raise NotVisible
    known = Order.objects.filter(
        account_id=position.account_id, client_order_id=client_order_id
    ).first()
    if known is not None and known.position == position.id:
        return order_reply_of(known, duplicate=True)
    if position.closed_at is not None:
        raise EngineRefused("POSITION_CLOSED", position=position.id)
    return order_submit(
        account_id=position.account_id,
        client_order_id=client_order_id,
        symbol=position.symbol,
        side=Side.SELL if position.side == Side.BUY else Side.BUY,
        type=OrderType.MARKET,
        quantity=quantity if quantity is not None else position.lots,
        position_id=position.id,
        actor=actor,
        source=source,
    )


# money of trading accounts


def account_funds_apply(
    *,
    account_id: UUID,
    amount: Money,
    reference: str,
    direction: str,
    actor: Actor | None = None,
    kind: str = "BALANCE",
) -> None:
    """Tell the engine, for certain and once per reference, that money entered (IN) or left (OUT) an account.

    A building block for the caller's transaction: it writes an event that is delivered until the engine has booked it,
    which `FundsApplied` with the same `reference` then tells. The ledger posting is the caller's.
    """
    if direction not in ("IN", "OUT") or amount.minor <= 0:
        raise ValueError("funds have a direction, IN or OUT, and an amount above zero")
    emit(
        FundsApplyRequested(
            account_id=account_id,
            amount_minor=amount.minor,
            direction=direction,
            reference=reference,
            kind=kind,
            requested_at=clock.now(),
        )
    )


def account_funds_reserve(
    *, account_id: UUID, amount: Money, reference: str, actor: Actor | None = None
) -> Money:
    """Take money out of a trading account if its margin allows, and return the balance that is left.

    The engine decides and books at once, once per `reference`; the caller then posts it in the ledger under the key
    `<reference>:debit`, or gives it back with `account_funds_apply(direction="IN")` as `<reference>:back`.
    Raises `FreeMarginTooLow`, `AccountNotInEngine`, `EngineSilent`.
    """
    row = EngineAccount.objects.filter(pk=account_id).first()
    if row is None or row.currency != amount.currency:
        raise AccountNotInEngine
    reply = ask(
        shards.shard_of(account_id),
        FundsReserve(
            at=to_us(clock.now()),
            key=f"reserve:{reference}"[:120],
            account=str(account_id),
            amount=amount.minor,
            reference=reference,
        ),
    )
    if reply.ok:
        return EngineAccount.objects.get(pk=account_id).balance_money
    if reply.code == FreeMarginTooLow.code:
        available = Money.from_minor(int(reply.values.get("available", 0)), amount.currency)
        raise FreeMarginTooLow(available=available)
    raise EngineRefused(reply.code)


# what the engine has to know


def account_register(*, account_id: UUID) -> None:
    """Tell the engine what is true of an account now, and wait until it has it. Raises `EngineSilent`."""
    reply = ask(shards.shard_of(account_id), account_command(account_id, clock.now()))
    if not reply.ok:
        raise EngineRefused(reply.code)


@command
def kill_switch_set(*, scope: str, mode: KillSwitchMode | str, actor: Actor, reason: str) -> None:
    """Stop all but reductions and cancels for a scope (`firm`, `symbol:EURUSD`, `account:<id>`, …), or re-arm it.

    Raises `NotAllowed`.
    """
    actor.require(SET_KILL_SWITCH)
    mode = KillSwitchMode(mode)
    audit(
        actor=actor, action="kill_switch.set", after={"scope": scope, "mode": mode}, reason=reason
    )
    emit(KillSwitchSet(scope=scope, mode=mode.value, actor=actor.id, set_at=clock.now()))


def trading_day_end(*, shard: str, at: datetime) -> None:
    """Expire DAY orders of a shard; once per moment however often it is told. Raises `EngineSilent`."""
    ask(shard, DayEnded(at=to_us(at), key=f"day:{to_us(at)}"))


def venue_report_submit(report: VenueReport, *, wait: float = WAIT_SECONDS) -> bool:
    """Book a venue's report. True once it is committed (or was before); False when it must be repeated later.

    Raises `EngineSilent` when the engine did not answer; repeating the report is safe, its exec id stays the same.
    """
    account_id = (
        ChildOrder.objects.filter(pk=report.child_id).values_list("account_id", flat=True).first()
    )
    if account_id is None:
        return False
    reply = ask(
        shards.shard_of(account_id),
        VenueReported(
            at=to_us(clock.now()),
            kind=report.kind.value,
            child=report.child_id,
            exec_id=report.exec_id[:64],
            steps=report.steps,
            price=report.price_points,
            cum=report.cum_steps,
            venue_order_id=report.venue_order_id[:64],
            code=report.code[:40],
            text=report.text[:200],
        ),
        wait=wait,
    )
    if not reply.ok and reply.code == "CONVERSION_RATE_MISSING":
        raise EngineSilent
    return reply.ok


__all__ = [
    "OrderReply",
    "account_funds_apply",
    "account_funds_reserve",
    "account_register",
    "kill_switch_set",
    "order_cancel",
    "order_submit",
    "position_close",
    "trading_day_end",
    "venue_report_submit",
]
