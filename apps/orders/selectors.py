"""Reads: orders, deals, positions, what an account is worth now, how the engine does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import QuerySet

from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.money import Money
from apps.core.redis import redis_client
from apps.market.quotes import LAST, unpack_raw
from apps.orders.adapters.protocol import ChildInstruction, InstructionKind
from apps.orders.engine.commands import AccountSpec, InstrumentSpec
from apps.orders.engine.errors import RateMissing
from apps.orders.engine.state import Account, Quote, State
from apps.orders.engine.state import Position as HeldPosition
from apps.orders.engine.valuation import (
    client_price,
    equity_of,
    in_account_currency,
    used_margin_of,
    withdrawable_of,
)
from apps.orders.enums import OrderStatus, Side
from apps.orders.errors import AccountNotInEngine
from apps.orders.host import shards
from apps.orders.host.units import to_us
from apps.orders.models import (
    ChildOrder,
    EngineAccount,
    EngineRecord,
    Execution,
    Order,
    OrderEvent,
    Position,
)


@dataclass(frozen=True, slots=True)
class AccountEquity:
    """What an account is worth at the last quotes. `margin_level` is a percentage, None without used margin.

    `complete` is False when a price was missing; floating P/L then counts only what could be priced.
    """

    account_id: UUID
    balance: Money
    credit: Money
    floating: Money
    equity: Money
    used_margin: Money
    free_margin: Money
    withdrawable: Money
    margin_level: Decimal | None
    complete: bool


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """An open position as its holder sees it now."""

    id: int
    account_id: UUID
    symbol: str
    side: str
    lots: Decimal
    open_price: Decimal | None
    close_price: Decimal | None
    floating: Money | None
    opened_at: Any
    book: str
    digits: int


def order_list(*, actor: Actor) -> QuerySet[Order]:
    return Order.objects.visible_to(actor).select_related("account")


def order_get(order_id: int, *, actor: Actor) -> Order:
    """Raises `NotVisible`."""
    order = order_list(actor=actor).filter(pk=order_id).first()
    if order is None:
        raise NotVisible
    return order


def orders_open(account_id: UUID) -> QuerySet[Order]:
    """Working orders of an account, newest first."""
    return Order.objects.filter(account_id=account_id).live().order_by("-id")


def order_events(order_id: int) -> QuerySet[OrderEvent]:
    return OrderEvent.objects.filter(order_id=order_id).order_by("number")


def order_executions(order_id: int) -> QuerySet[Execution]:
    return Execution.objects.filter(order_id=order_id).order_by("id")


def order_children(order_id: int) -> QuerySet[ChildOrder]:
    return ChildOrder.objects.filter(order_id=order_id).order_by("id")


def execution_list(*, actor: Actor) -> QuerySet[Execution]:
    return Execution.objects.visible_to(actor).select_related("account")


def position_list(*, actor: Actor) -> QuerySet[Position]:
    return Position.objects.visible_to(actor).select_related("account")


def instrument_specs() -> dict[str, InstrumentSpec]:
    """Instruments as the engine trades them."""
    rows = EngineRecord.objects.filter(kind="instrument").values_list("key", "data")
    return {key: msgspec.msgpack.decode(bytes(data), type=InstrumentSpec) for key, data in rows}


def valuation_state(accounts: Iterable[EngineAccount]) -> State:
    """A state for valuation alone: these accounts, their open positions, the last quotes."""
    state = State()
    state.instruments = instrument_specs()
    currencies = EngineRecord.objects.filter(kind="currencies").values_list("data", flat=True)
    for data in currencies:
        state.exponents.update(dict(msgspec.msgpack.decode(bytes(data))))
    for packed in redis_client().hgetall(LAST).values():
        symbol, bid, ask, at, _source = unpack_raw(packed)
        if symbol in state.instruments:
            state.quotes[symbol] = Quote(bid, ask, at)
    names = []
    for row in accounts:
        account = Account(msgspec.msgpack.decode(bytes(row.spec), type=AccountSpec))
        account.balance, account.credit = row.balance, row.credit
        state.accounts[str(row.account_id)] = account
        names.append(row.account_id)
    for position in Position.objects.open().filter(account_id__in=names):
        state.adopt_position(
            HeldPosition(
                id=position.id,
                account=str(position.account_id),
                symbol=position.symbol,
                side=position.side,
                book=position.book,
                steps=position.steps,
                cost=position.cost,
                opened_at=to_us(position.opened_at),
                updated_at=to_us(position.updated_at),
            )
        )
    return state


def engine_account(account_id: UUID) -> EngineAccount:
    """Raises `AccountNotInEngine`."""
    row = EngineAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise AccountNotInEngine
    return row


def account_equity(account_id: UUID) -> AccountEquity:
    """Raises `AccountNotInEngine`."""
    state = valuation_state([engine_account(account_id)])
    return _equity(state, state.accounts[str(account_id)])


def account_equities(account_ids: Iterable[UUID]) -> dict[UUID, AccountEquity]:
    """The same for many accounts in a fixed number of queries; accounts that cannot trade yet are missing."""
    state = valuation_state(EngineAccount.objects.filter(pk__in=list(account_ids)))
    return {UUID(name): _equity(state, account) for name, account in state.accounts.items()}


def _equity(state: State, account: Account) -> AccountEquity:
    complete = True
    try:
        equity, used = equity_of(state, account), used_margin_of(state, account)
        withdrawable = withdrawable_of(state, account)
    except RateMissing:
        complete = False
        equity, used, withdrawable = account.balance + account.credit, 0, 0

    def money(minor: int) -> Money:
        return Money.from_minor(minor, account.currency)

    level = (Decimal(equity) / used * 100).quantize(Decimal("0.01")) if used else None
    return AccountEquity(
        account_id=UUID(account.spec.account),
        balance=money(account.balance),
        credit=money(account.credit),
        floating=money(equity - account.balance - account.credit),
        equity=money(equity),
        used_margin=money(used),
        free_margin=money(equity - used),
        withdrawable=money(withdrawable),
        margin_level=level,
        complete=complete,
    )


def positions_open(account_id: UUID) -> list[OpenPosition]:
    """Open positions with their floating P/L at the last quotes, newest first. Raises `AccountNotInEngine`."""
    state = valuation_state([engine_account(account_id)])
    account = state.accounts[str(account_id)]
    rows = Position.objects.open().filter(account_id=account_id).order_by("-id")
    return [_open_position(state, account, row) for row in rows]


def _open_position(state: State, account: Account, row: Position) -> OpenPosition:
    spec = state.instruments[row.symbol]
    quote = state.quotes.get(row.symbol)
    close: int | None = None
    floating: Money | None = None
    if quote is not None:
        close = client_price(account, spec, quote, 2 if row.side == Side.BUY else 1)
        points = close * row.steps - row.cost
        try:
            minor = in_account_currency(
                state, account, spec, points if row.side == Side.BUY else -points
            )
            floating = Money.from_minor(minor, account.currency)
        except RateMissing:
            floating = None
    return OpenPosition(
        id=row.id,
        account_id=row.account_id,
        symbol=row.symbol,
        side="BUY" if row.side == Side.BUY else "SELL",
        lots=row.lots,
        open_price=row.open_price,
        close_price=row.price_of(close),
        floating=floating,
        opened_at=row.opened_at,
        book=row.book,
        digits=row.digits,
    )


def child_orders_to_send(shard: str, venue: str | None = None) -> list[ChildInstruction]:
    """Child orders that no venue has brought to an end, oldest first: what a gateway asks about when it starts.

    An order that never left is among them; the venue then answers that it does not know it, or takes it under the
    same client order id.
    """
    rows = ChildOrder.objects.open().order_by("id")
    if venue is not None:
        rows = rows.filter(venue=venue)
    return [instruction_for(row) for row in rows if shards.shard_of(row.account_id) == shard]


def instruction_for(row: ChildOrder) -> ChildInstruction:
    """The instruction that the engine sent for a child order."""
    return ChildInstruction(
        kind=InstructionKind.NEW,
        shard=shards.shard_of(row.account_id),
        child_id=row.id,
        client_order_id=f"C{row.id}",
        venue=row.venue,
        symbol=row.symbol,
        side=row.side,
        steps=row.steps,
        lots=str(row.lots),
        limit_points=row.limit_price,
        limit_price=str(row.price_of(row.limit_price)),
        time_in_force=row.tif,
        created_us=to_us(row.created_at),
    )


def engine_lag_seconds(shard: str) -> float | None:
    """Age of the engine's last heartbeat; None when there is none."""
    beat = redis_client().get(shards.heartbeat_key(shard))
    return None if beat is None else max(clock.now().timestamp() - float(beat), 0.0)


def engines_alive() -> dict[str, bool]:
    """Each shard and whether its engine gave a sign of life in the last seconds."""
    return {shard: engine_lag_seconds(shard) is not None for shard in settings.ENGINE_SHARDS}


def orders_rejected_today() -> QuerySet[Order]:
    start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Order.objects.filter(status=OrderStatus.REJECTED, captured_at__gte=start)


def child_orders_silent(*, actor: Actor) -> QuerySet[ChildOrder]:
    """Child orders whose venue does not answer, the longest silence first."""
    return (
        ChildOrder.objects.visible_to(actor)
        .open()
        .filter(unknown_since__isnull=False)
        .order_by("unknown_since")
    )
