"""One transaction for everything that a batch decided.

New rows are told from changed ones by their ticket: tickets only grow, so an id that did not exist when the batch began is
an insert (COPY), any other an update of absolute values. The offset row moves in the same transaction and only for the
epoch that this engine holds; another epoch means that another engine took over, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from apps.core.money import from_minor
from apps.core.outbox import insert_events
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for
from apps.ledger.services import BatchRow, post_batch
from apps.orders.engine.commands import (
    Command,
    CurrencySet,
    InstrumentChanged,
    KillSwitch,
    PolicySet,
)
from apps.orders.engine.fix import BUY, OrdStatus
from apps.orders.engine.result import Reply, Result
from apps.orders.engine.state import ChildOrder, Execution, Order, Position, State
from apps.orders.events import DealExecuted, FundsApplied, OrderRejected
from apps.orders.host.units import from_us

ORDER_COLUMNS = [
    "id",
    "account_id",
    "client_order_id",
    "symbol",
    "digits",
    "lot_step",
    "side",
    "order_type",
    "tif",
    "steps",
    "price",
    "position",
    "book",
    "source",
    "status",
    "cum",
    "leaves",
    "notional",
    "opened",
    "venue_tries",
    "code",
    "text",
    "flagged",
    "failing",
    "checks",
    "event_count",
    "captured_at",
    "validated_at",
    "working_at",
    "routed_at",
    "executed_at",
    "ended_at",
]
ORDER_CHANGES = (
    ("status", "text"),
    ("cum", "bigint"),
    ("leaves", "bigint"),
    ("notional", "bigint"),
    ("opened", "bigint"),
    ("venue_tries", "smallint"),
    ("code", "text"),
    ("text", "text"),
    ("flagged", "text"),
    ("event_count", "smallint"),
    ("routed_at", "timestamptz"),
    ("executed_at", "timestamptz"),
    ("ended_at", "timestamptz"),
)
POSITION_COLUMNS = [
    "id",
    "account_id",
    "symbol",
    "digits",
    "lot_step",
    "side",
    "book",
    "steps",
    "cost",
    "realized",
    "commission",
    "opened_at",
    "updated_at",
    "closed_at",
    "close_reason",
]
POSITION_CHANGES = (
    ("steps", "bigint"),
    ("cost", "bigint"),
    ("realized", "bigint"),
    ("commission", "bigint"),
    ("updated_at", "timestamptz"),
    ("closed_at", "timestamptz"),
    ("close_reason", "text"),
)
CHILD_COLUMNS = [
    "id",
    "order_id",
    "account_id",
    "venue",
    "symbol",
    "digits",
    "lot_step",
    "side",
    "steps",
    "tif",
    "limit_price",
    "status",
    "cum",
    "notional",
    "venue_order_id",
    "exec_ids",
    "final",
    "final_cum",
    "final_code",
    "unknown_since",
    "created_at",
    "updated_at",
]
CHILD_CHANGES = (
    ("status", "text"),
    ("cum", "bigint"),
    ("notional", "bigint"),
    ("venue_order_id", "text"),
    ("exec_ids", "jsonb"),
    ("final", "text"),
    ("final_cum", "bigint"),
    ("final_code", "text"),
    ("unknown_since", "timestamptz"),
    ("updated_at", "timestamptz"),
)
EXECUTION_COLUMNS = [
    "id",
    "order_id",
    "account_id",
    "position",
    "symbol",
    "digits",
    "lot_step",
    "side",
    "entry",
    "steps",
    "price",
    "book",
    "currency",
    "realized",
    "commission",
    "spread_cost",
    "bid",
    "ask",
    "child",
    "venue_exec_id",
    "flagged",
    "at",
]
EVENT_COLUMNS = ["order_id", "number", "at", "exec_type", "before", "after", "code", "text"]

_json = msgspec.json.encode
_pack = msgspec.msgpack.encode


class Fenced(Exception):
    """Another engine holds this shard now."""


class Batch:
    """The results of some commands, merged: the last value of each row, every event and execution."""

    __slots__ = (
        "commands",
        "executions",
        "first_id",
        "funds",
        "instructions",
        "keys",
        "log",
        "order_events",
        "rows",
        "state",
    )

    def __init__(self, state: State) -> None:
        self.state = state
        self.first_id = state.next_id
        self.rows: dict[str, dict[Any, Any]] = {
            "orders": {},
            "positions": {},
            "children": {},
            "accounts": {},
        }
        self.executions: list[Execution] = []
        self.order_events: list[Any] = []
        self.funds: list[Any] = []
        self.instructions: list[Any] = []
        self.keys: list[str] = []
        self.commands: list[Command] = []
        self.log: list[tuple[int, Command, Reply | None]] = []

    def add(self, command: Command, result: Result, stream_number: int = 0) -> None:
        self.rows["orders"].update(result.orders)
        self.rows["positions"].update(result.positions)
        self.rows["children"].update(result.children)
        self.rows["accounts"].update(result.accounts)
        self.executions += result.executions
        self.order_events += result.events
        self.funds += result.funds
        self.instructions += result.instructions
        self.keys += result.new_keys
        if result.specs:
            self.commands.append(command)
        self.log.append((stream_number, command, result.reply))


class Writer:
    """Stores batches of one shard through a psycopg cursor; the caller opens and commits the transaction."""

    def __init__(self, shard: str) -> None:
        self.shard = shard
        self._ledger_ids: dict[tuple[str, str, str], int] = {}
        self._scales: dict[str, tuple[int, Decimal]] = {}

    def forget(self) -> None:
        """After a rollback: accounts that were opened in it do not exist."""
        self._ledger_ids.clear()

    def write(
        self, cursor: Any, batch: Batch, *, journal: int, last_stream_id: str, at: Any
    ) -> None:
        """Everything of a batch, its journal entry and the offset. Raises `Fenced`."""
        self._scales.clear()
        state = batch.state
        first = batch.first_id
        self._orders(cursor, state, batch.rows["orders"].values(), first)
        self._positions(cursor, state, batch.rows["positions"].values(), first)
        self._children(cursor, state, batch.rows["children"].values(), first)
        self._accounts(cursor, batch.rows["accounts"].values())
        _copy(
            cursor,
            "orders_execution",
            EXECUTION_COLUMNS,
            (self._execution_row(state, e) for e in batch.executions),
            bool(batch.executions),
        )
        _copy(
            cursor,
            "orders_orderevent",
            EVENT_COLUMNS,
            (
                (
                    e.order,
                    e.number,
                    from_us(e.at),
                    e.exec_type,
                    e.before,
                    e.after,
                    e.code,
                    e.text[:200],
                )
                for e in batch.order_events
            ),
            bool(batch.order_events),
        )
        self._references(cursor, batch.commands)
        if batch.keys:
            cursor.execute(
                "INSERT INTO orders_commandreceipt (shard, key) SELECT %s, unnest(%s::text[])",
                (self.shard, batch.keys),
            )
        post_batch(cursor, list(self._postings(batch.executions)))
        insert_events(cursor, self._events(batch))
        self._journal(cursor, batch, journal, at)
        self._offset(cursor, state, journal, last_stream_id, at)

    # rows

    def _scale(self, state: State, symbol: str) -> tuple[int, Decimal]:
        known = self._scales.get(symbol)
        if known is None:
            spec = state.instruments.get(symbol)
            known = (spec.digits, Decimal(spec.lot_num) / spec.lot_den) if spec else (0, Decimal(1))
            self._scales[symbol] = known
        return known

    def _orders(self, cursor: Any, state: State, orders: Iterable[Order], first: int) -> None:
        fresh = [o for o in orders if o.id >= first]
        changed = [o for o in orders if o.id < first]
        _copy(
            cursor,
            "orders_order",
            ORDER_COLUMNS,
            (self._order_row(state, o) for o in fresh),
            bool(fresh),
        )
        _update(
            cursor,
            "orders_order",
            ORDER_CHANGES,
            [
                (
                    o.id,
                    o.status,
                    o.cum,
                    o.leaves,
                    o.notional,
                    o.opened,
                    o.venue_tries,
                    o.code,
                    o.text[:200],
                    o.flagged,
                    o.event_count,
                    from_us(o.routed_at),
                    from_us(o.executed_at),
                    from_us(o.ended_at),
                )
                for o in changed
            ],
        )

    def _order_row(self, state: State, o: Order) -> tuple[Any, ...]:
        digits, lot_step = self._scale(state, o.symbol)
        return (
            o.id,
            o.account,
            o.client_order_id,
            o.symbol,
            digits,
            lot_step,
            o.side,
            o.order_type,
            o.tif,
            o.steps,
            o.price,
            o.position,
            o.book,
            o.source,
            o.status,
            o.cum,
            o.leaves,
            o.notional,
            o.opened,
            o.venue_tries,
            o.code,
            o.text[:200],
            o.flagged,
            _json(o.failing).decode(),
            _json(o.checks).decode(),
            o.event_count,
            from_us(o.captured_at),
            from_us(o.validated_at),
            from_us(o.working_at),
            from_us(o.routed_at),
            from_us(o.executed_at),
            from_us(o.ended_at),
        )

    def _positions(
        self, cursor: Any, state: State, positions: Iterable[Position], first: int
    ) -> None:
        fresh = [p for p in positions if p.id >= first]
        changed = [p for p in positions if p.id < first]

        def row(p: Position) -> tuple[Any, ...]:
            digits, lot_step = self._scale(state, p.symbol)
            return (
                p.id,
                p.account,
                p.symbol,
                digits,
                lot_step,
                p.side,
                p.book,
                p.steps,
                p.cost,
                p.realized,
                p.commission,
                from_us(p.opened_at),
                from_us(p.updated_at),
                from_us(p.closed_at),
                p.close_reason,
            )

        _copy(cursor, "orders_position", POSITION_COLUMNS, map(row, fresh), bool(fresh))
        _update(
            cursor,
            "orders_position",
            POSITION_CHANGES,
            [
                (
                    p.id,
                    p.steps,
                    p.cost,
                    p.realized,
                    p.commission,
                    from_us(p.updated_at),
                    from_us(p.closed_at),
                    p.close_reason,
                )
                for p in changed
            ],
        )

    def _children(
        self, cursor: Any, state: State, children: Iterable[ChildOrder], first: int
    ) -> None:
        fresh = [c for c in children if c.id >= first]
        changed = [c for c in children if c.id < first]

        def row(c: ChildOrder) -> tuple[Any, ...]:
            digits, lot_step = self._scale(state, c.symbol)
            return (
                c.id,
                c.order,
                c.account,
                c.venue,
                c.symbol,
                digits,
                lot_step,
                c.side,
                c.steps,
                c.tif,
                c.limit_price,
                c.status,
                c.cum,
                c.notional,
                c.venue_order_id,
                _json(c.exec_ids).decode(),
                c.final,
                c.final_cum,
                c.final_code,
                from_us(c.unknown_since),
                from_us(c.created_at),
                from_us(c.updated_at),
            )

        _copy(cursor, "orders_childorder", CHILD_COLUMNS, map(row, fresh), bool(fresh))
        _update(
            cursor,
            "orders_childorder",
            CHILD_CHANGES,
            [
                (
                    c.id,
                    c.status,
                    c.cum,
                    c.notional,
                    c.venue_order_id,
                    _json(c.exec_ids).decode(),
                    c.final,
                    c.final_cum,
                    c.final_code,
                    from_us(c.unknown_since),
                    from_us(c.updated_at),
                )
                for c in changed
            ],
        )

    def _accounts(self, cursor: Any, accounts: Iterable[Any]) -> None:
        rows = [
            (a.spec.account, a.currency, a.balance, a.credit, a.version, _pack(a.spec))
            for a in accounts
        ]
        if not rows:
            return
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(
            "INSERT INTO orders_engineaccount (account_id, shard, currency, balance, credit, version, spec) "
            "SELECT a, %s, c, b, k, v, s FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], "
            "%s::bigint[], %s::bytea[]) AS u(a, c, b, k, v, s) "
            "ON CONFLICT (account_id) DO UPDATE SET balance = EXCLUDED.balance, credit = EXCLUDED.credit, "
            "version = EXCLUDED.version, spec = EXCLUDED.spec",
            (self.shard, *columns),
        )

    def _execution_row(self, state: State, e: Execution) -> tuple[Any, ...]:
        digits, lot_step = self._scale(state, e.symbol)
        return (
            e.id,
            e.order,
            e.account,
            e.position,
            e.symbol,
            digits,
            lot_step,
            e.side,
            e.entry,
            e.steps,
            e.price,
            e.book,
            e.currency,
            e.realized,
            e.commission,
            e.spread_cost,
            e.bid,
            e.ask,
            e.child,
            e.venue_exec_id,
            e.flagged,
            from_us(e.at),
        )

    def _references(self, cursor: Any, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, InstrumentChanged):
                self._keep(cursor, "instrument", command.spec.symbol, command.spec)
            elif isinstance(command, PolicySet):
                self._keep(cursor, "policy", "", command.policy)
            elif isinstance(command, CurrencySet):
                self._keep(cursor, "currencies", "", command.exponents)
            elif isinstance(command, KillSwitch):
                self._keep(
                    cursor, "kill", command.scope, command.mode if command.mode != "OFF" else None
                )

    def _keep(self, cursor: Any, kind: str, key: str, value: Any) -> None:
        if value is None:
            cursor.execute(
                "DELETE FROM orders_enginerecord WHERE shard = %s AND kind = %s AND key = %s",
                (self.shard, kind, key),
            )
            return
        cursor.execute(
            "INSERT INTO orders_enginerecord (shard, kind, key, data) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (shard, kind, key) DO UPDATE SET data = EXCLUDED.data",
            (self.shard, kind, key, _pack(value)),
        )

    # money

    def _ledger_id(self, kind: AccountKind, currency: str, owner: str = "") -> int:
        key = (kind.value, currency, owner)
        known = self._ledger_ids.get(key)
        if known is None:
            known = self._ledger_ids[key] = account_for(kind, currency, owner).pk
        return known

    def _postings(self, executions: Iterable[Execution]) -> Iterable[BatchRow]:
        """Realised P/L against the house book (B) or the venues' collateral (A), commission to income."""
        for e in executions:
            if not e.realized and not e.commission:
                continue
            at = from_us(e.at)
            client = self._ledger_id(AccountKind.CLIENT_TRADING, e.currency, f"trading:{e.account}")
            if e.realized:
                other = self._ledger_id(
                    AccountKind.LP_COLLATERAL if e.book == "A" else AccountKind.BBOOK_PNL,
                    e.currency,
                )
                debit, credit = (other, client) if e.realized > 0 else (client, other)
                yield BatchRow(
                    key=f"deal:{e.id}:pnl",
                    kind="deal.pnl",
                    debit_id=debit,
                    credit_id=credit,
                    currency=e.currency,
                    amount_minor=abs(e.realized),
                    at=at,
                )
            if e.commission > 0:
                yield BatchRow(
                    key=f"deal:{e.id}:commission",
                    kind="deal.commission",
                    debit_id=client,
                    credit_id=self._ledger_id(AccountKind.INCOME_COMMISSION, e.currency),
                    currency=e.currency,
                    amount_minor=e.commission,
                    at=at,
                )

    # events

    def _events(self, batch: Batch) -> Iterable[Any]:
        state = batch.state
        for e in batch.executions:
            digits, lot_step = self._scale(state, e.symbol)
            yield DealExecuted(
                deal_id=e.id,
                order_id=e.order,
                position_id=e.position,
                account_id=e.account,
                client_id=state.accounts[e.account].spec.client,
                symbol=e.symbol,
                side="BUY" if e.side == BUY else "SELL",
                entry=e.entry,
                quantity_lots=lot_step * e.steps,
                price=Decimal(e.price).scaleb(-digits),
                book=e.book,
                commission=from_minor(e.commission, e.currency),
                spread_cost=from_minor(e.spread_cost, e.currency),
                realized_pnl=from_minor(e.realized, e.currency),
                currency=e.currency,
                executed_at=from_us(e.at),
            )
        for order in batch.rows["orders"].values():
            if order.status == OrdStatus.REJECTED:
                yield OrderRejected(
                    order_id=order.id,
                    account_id=order.account,
                    client_id=state.accounts[order.account].spec.client,
                    symbol=order.symbol,
                    code=order.code,
                    rejected_at=from_us(order.ended_at),
                )
        for moved in batch.funds:
            currency = state.accounts[moved.account].currency
            yield FundsApplied(
                account_id=moved.account,
                reference=moved.reference,
                kind=moved.kind,
                amount=from_minor(moved.amount, currency),
                balance=from_minor(moved.balance, currency),
                currency=currency,
            )

    # journal and offset

    def _journal(self, cursor: Any, batch: Batch, number: int, at: Any) -> None:
        numbers = [entry[0] for entry in batch.log if entry[0]]
        cursor.execute(
            "INSERT INTO orders_journalentry "
            "(shard, number, first_stream_id, last_stream_id, entries, command_count, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                self.shard,
                number,
                min(numbers, default=0),
                max(numbers, default=0),
                _pack(batch.log),
                len(batch.log),
                at,
            ),
        )

    def _offset(
        self, cursor: Any, state: State, journal: int, last_stream_id: str, at: Any
    ) -> None:
        cursor.execute(
            "UPDATE orders_engineoffset SET last_stream_id = %s, sequence = %s, next_id = %s, "
            "day_ended_at = %s, journal = %s, updated_at = %s WHERE shard = %s AND epoch = %s",
            (
                last_stream_id,
                state.sequence,
                state.next_id,
                state.day_ended_at,
                journal,
                at,
                self.shard,
                state.epoch,
            ),
        )
        if cursor.rowcount != 1:
            raise Fenced(self.shard)


def _copy(
    cursor: Any, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]], present: bool
) -> None:
    if not present:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _update(
    cursor: Any,
    table: str,
    changes: Sequence[tuple[str, str]],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set absolute values by id in one statement."""
    if not rows:
        return
    assignments = ", ".join(f'"{name}" = u."{name}"' for name, _ in changes)
    arrays = ", ".join(["%s::bigint[]", *(f"%s::{kind}[]" for _, kind in changes)])
    names = ", ".join(["id", *(f'"{name}"' for name, _ in changes)])
    cursor.execute(
        f"UPDATE {table} t SET {assignments} FROM unnest({arrays}) AS u({names}) WHERE t.id = u.id",  # noqa: S608
        [list(column) for column in zip(*rows, strict=True)],
    )
