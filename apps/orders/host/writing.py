"""One transaction for everything that a batch decided.

New rows are told from changed ones by their ticket: tickets only grow, so an id that did not exist when the batch began
is an insert (COPY), any other an update of absolute values. The offset row moves in the same transaction and only for
the epoch that this engine holds; another epoch means that another engine took over, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from apps.core.outbox import insert_events
from apps.ledger.services import post_batch
from apps.orders.engine.commands import (
    Command,
    CurrencySet,
    InstrumentChanged,
    KillSwitch,
    PolicySet,
)
from apps.orders.engine.result import Reply, Result
from apps.orders.engine.state import ChildOrder, Execution, Order, Position, State
from apps.orders.host.consequences import Books, events_of
from apps.orders.host.tables import (
    CHILD_CHANGES,
    CHILD_COLUMNS,
    EVENT_COLUMNS,
    EXECUTION_COLUMNS,
    ORDER_CHANGES,
    ORDER_COLUMNS,
    POSITION_CHANGES,
    POSITION_COLUMNS,
    copy_rows,
    update_rows,
)
from apps.orders.host.units import from_us

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
        self.books = Books()
        self._scales: dict[str, tuple[int, Decimal]] = {}

    def forget(self) -> None:
        """After a rollback: accounts that were opened in it do not exist."""
        self.books.forget()

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
        copy_rows(
            cursor,
            "orders_execution",
            EXECUTION_COLUMNS,
            (self._execution_row(state, e) for e in batch.executions),
            bool(batch.executions),
        )
        copy_rows(
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
        post_batch(cursor, list(self.books.postings(batch.executions)))
        insert_events(cursor, events_of(batch, self._scale))
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
        copy_rows(
            cursor,
            "orders_order",
            ORDER_COLUMNS,
            (self._order_row(state, o) for o in fresh),
            bool(fresh),
        )
        update_rows(
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

        copy_rows(cursor, "orders_position", POSITION_COLUMNS, map(row, fresh), bool(fresh))
        update_rows(
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

        copy_rows(cursor, "orders_childorder", CHILD_COLUMNS, map(row, fresh), bool(fresh))
        update_rows(
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
