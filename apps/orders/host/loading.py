"""Rebuilding the engine's state from what it has committed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.orders.engine.commands import AccountSpec, InstrumentSpec, Policy
from apps.orders.engine.decide import SECOND_US, VENUE_MEMORY_US
from apps.orders.engine.fix import OrdStatus
from apps.orders.engine.state import Account, ChildOrder, Order, Position, State
from apps.orders.host import shards
from apps.orders.host.units import EPOCH, to_us
from apps.orders.models import ChildOrder as ChildOrderRow
from apps.orders.models import (
    CommandReceipt,
    EngineAccount,
    EngineOffset,
    EngineRecord,
)
from apps.orders.models import Order as OrderRow
from apps.orders.models import Position as PositionRow


def load_state(offset: EngineOffset) -> State:
    """The state as of the last committed batch of a shard."""
    state = State(first_id=shards.first_id(offset.shard))
    state.next_id = max(state.next_id, offset.next_id)
    state.sequence = offset.sequence
    state.epoch = offset.epoch
    state.day_ended_at = offset.day_ended_at
    _load_records(state, offset.shard)
    _load_accounts(state, offset.shard)
    accounts = [UUID(name) for name in state.accounts]
    if accounts:
        _load_positions(state, accounts)
        _load_orders(state, accounts)
        _load_client_order_ids(state, accounts)
    receipts = CommandReceipt.objects.filter(shard=offset.shard)
    state.seen = set(receipts.values_list("key", flat=True))
    return state


def _load_records(state: State, shard: str) -> None:
    for record in EngineRecord.objects.filter(shard=shard):
        data = bytes(record.data)
        if record.kind == "instrument":
            state.instruments[record.key] = msgspec.msgpack.decode(data, type=InstrumentSpec)
        elif record.kind == "policy":
            state.policy = msgspec.msgpack.decode(data, type=Policy)
        elif record.kind == "currencies":
            state.exponents = dict(msgspec.msgpack.decode(data))
        elif record.kind == "kill":
            state.kill_switches[record.key] = msgspec.msgpack.decode(data)


def _load_accounts(state: State, shard: str) -> None:
    for row in EngineAccount.objects.filter(shard=shard).order_by("pk"):
        account = Account(msgspec.msgpack.decode(bytes(row.spec), type=AccountSpec))
        account.balance, account.credit, account.version = row.balance, row.credit, row.version
        state.accounts[str(row.account_id)] = account


def _load_positions(state: State, accounts: list[UUID]) -> None:
    for row in PositionRow.objects.open().filter(account_id__in=accounts).order_by("id"):
        state.adopt_position(
            Position(
                id=row.id,
                account=str(row.account_id),
                symbol=row.symbol,
                side=row.side,
                book=row.book,
                steps=row.steps,
                cost=row.cost,
                opened_at=to_us(row.opened_at),
                updated_at=to_us(row.updated_at),
                realized=row.realized,
                commission=row.commission,
            )
        )


def _load_orders(state: State, accounts: list[UUID]) -> None:
    """Live orders, and those whose venue may still report: their children are remembered for two days."""
    since = EPOCH + timedelta(microseconds=max(state.day_ended_at - VENUE_MEMORY_US, 0))
    children = ChildOrderRow.objects.filter(account_id__in=accounts)
    kept = children.filter(updated_at__gte=since) | children.open()
    for row in kept.order_by("id"):
        state.children[row.id] = _child(row)
    parents = {child.order for child in state.children.values()}
    orders = OrderRow.objects.filter(account_id__in=accounts)
    for order_row in (orders.live() | orders.filter(id__in=parents)).order_by("id"):
        order = _order(order_row)
        if order.status in OrdStatus.TERMINAL:
            state.orders[order.id] = order
            continue
        state.adopt_order(order)
        if not order.venue_tries:
            state.rest(order)


def _child(row: ChildOrderRow) -> ChildOrder:
    return ChildOrder(
        id=row.id,
        order=row.order_id,
        account=str(row.account_id),
        venue=row.venue,
        symbol=row.symbol,
        side=row.side,
        steps=row.steps,
        created_at=to_us(row.created_at),
        tif=row.tif,
        limit_price=row.limit_price,
        status=row.status,
        cum=row.cum,
        notional=row.notional,
        venue_order_id=row.venue_order_id,
        exec_ids=tuple(row.exec_ids),
        final=row.final,
        final_cum=row.final_cum,
        final_code=row.final_code,
        unknown_since=to_us(row.unknown_since),
        updated_at=to_us(row.updated_at),
    )


def _order(row: OrderRow) -> Order:
    return Order(
        id=row.id,
        account=str(row.account_id),
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        order_type=row.order_type,
        tif=row.tif,
        steps=row.steps,
        price=row.price,
        position=row.position,
        book=row.book,
        source=row.source,
        captured_at=to_us(row.captured_at),
        status=row.status,
        cum=row.cum,
        leaves=row.leaves,
        notional=row.notional,
        code=row.code,
        text=row.text,
        failing=tuple(row.failing),
        checks=tuple((name, passed, detail) for name, passed, detail in row.checks),
        validated_at=to_us(row.validated_at),
        routed_at=to_us(row.routed_at),
        working_at=to_us(row.working_at),
        executed_at=to_us(row.executed_at),
        ended_at=to_us(row.ended_at),
        venue_tries=row.venue_tries,
        opened=row.opened,
        flagged=row.flagged,
        event_count=row.event_count,
    )


def _load_client_order_ids(state: State, accounts: list[UUID]) -> None:
    """What each client order id stood for, and how many orders came in the latest second of each account."""
    rows = OrderRow.objects.filter(account_id__in=accounts).order_by("id")
    fields = (
        "account_id",
        "client_order_id",
        "id",
        "symbol",
        "side",
        "order_type",
        "steps",
        "price",
        "tif",
        "position",
        "captured_at",
    )
    for account_id, client_order_id, number, *content, captured_at in rows.values_list(
        *fields
    ).iterator(chunk_size=5000):
        name = str(account_id)
        state.client_order_ids[(name, client_order_id)] = (number, tuple(content))
        account = state.accounts[name]
        second = to_us(captured_at) // SECOND_US
        if account.rate_second != second:
            account.rate_second, account.rate_count = second, 0
        account.rate_count += 1
