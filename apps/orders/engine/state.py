"""What the engine holds in memory: plain slotted records that a restart can rebuild from the database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from apps.orders.engine.commands import AccountSpec, InstrumentSpec, Policy
from apps.orders.engine.fix import BUY, OrdStatus


class Quote(msgspec.Struct, frozen=True):
    bid: int
    ask: int
    at: int


class Order(msgspec.Struct, kw_only=True):
    """An order of a client. `notional` is Σ(price · steps) over its fills, so AvgPx = notional / cum."""

    id: int
    account: str
    client_order_id: str
    symbol: str
    side: int
    order_type: str
    tif: str
    steps: int
    price: int
    position: int
    book: str
    source: str
    captured_at: int
    status: str = OrdStatus.PENDING_NEW
    cum: int = 0
    leaves: int = 0
    notional: int = 0
    code: str = ""
    text: str = ""
    failing: tuple[str, ...] = ()
    checks: tuple[tuple[str, bool, str], ...] = ()
    validated_at: int = 0
    routed_at: int = 0
    working_at: int = 0
    executed_at: int = 0
    ended_at: int = 0
    venue_tries: int = 0
    opened: int = 0
    flagged: str = ""
    event_count: int = 0


class Position(msgspec.Struct, kw_only=True):
    """`cost` is Σ(open price · steps) of what is still open, so the open price is cost / steps."""

    id: int
    account: str
    symbol: str
    side: int
    book: str
    steps: int
    cost: int
    opened_at: int
    updated_at: int
    realized: int = 0
    commission: int = 0
    closed_at: int = 0
    close_reason: str = ""


class ChildOrder(msgspec.Struct, kw_only=True):
    """One order at one venue on behalf of a client's order."""

    id: int
    order: int
    account: str
    venue: str
    symbol: str
    side: int
    steps: int
    created_at: int
    tif: str = "3"
    limit_price: int = 0
    status: str = OrdStatus.PENDING_NEW
    cum: int = 0
    notional: int = 0
    venue_order_id: str = ""
    exec_ids: tuple[str, ...] = ()
    final: str = ""
    final_cum: int = 0
    final_code: str = ""
    unknown_since: int = 0
    updated_at: int = 0

    @property
    def open(self) -> bool:
        return self.status not in OrdStatus.TERMINAL


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """A deal. `realized`, `commission`, `spread_cost` and `markup` are minor units of the account's currency.

    `markup` is the house's part of a venue's price; on the house book all of the spread is the house's result.
    """

    id: int
    order: int
    account: str
    position: int
    symbol: str
    side: int
    entry: str
    steps: int
    price: int
    at: int
    book: str
    realized: int
    commission: int
    spread_cost: int
    currency: str
    bid: int
    ask: int
    child: int = 0
    venue_exec_id: str = ""
    flagged: str = ""
    markup: int = 0


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line in an order's life: FIX ExecType, the status before and after, and why."""

    order: int
    number: int
    at: int
    exec_type: str
    before: str
    after: str
    code: str = ""
    text: str = ""


class Leg:
    """What an account holds of one symbol, summed per side so margin and floating P/L need no walk over positions."""

    __slots__ = ("long_cost", "long_steps", "short_cost", "short_steps")

    def __init__(self) -> None:
        self.long_steps = 0
        self.long_cost = 0
        self.short_steps = 0
        self.short_cost = 0

    def add(self, side: int, steps: int, cost: int) -> None:
        if side == BUY:
            self.long_steps += steps
            self.long_cost += cost
        else:
            self.short_steps += steps
            self.short_cost += cost

    @property
    def flat(self) -> bool:
        return not (self.long_steps or self.short_steps)


class Account:
    """A trading account with its money (absolute, minor units) and what it holds."""

    __slots__ = (
        "balance",
        "caps",
        "credit",
        "currency",
        "legs",
        "markups",
        "orders",
        "positions",
        "rate_count",
        "rate_second",
        "spec",
        "version",
    )

    def __init__(self, spec: AccountSpec) -> None:
        self.balance = 0
        self.credit = 0
        self.version = 0
        self.legs: dict[str, Leg] = {}
        self.positions: dict[int, Position] = {}
        self.orders: dict[int, Order] = {}
        self.rate_second = 0
        self.rate_count = 0
        self.configure(spec)

    def configure(self, spec: AccountSpec) -> None:
        self.spec = spec
        self.currency = spec.currency
        self.caps = dict(spec.leverage_caps)
        self.markups = dict(spec.markup)

    def leg(self, symbol: str) -> Leg:
        leg = self.legs.get(symbol)
        if leg is None:
            leg = self.legs[symbol] = Leg()
        return leg

    def hold(self, side: int, symbol: str, steps: int, cost: int) -> None:
        """Change what is held; negative numbers give back."""
        leg = self.leg(symbol)
        leg.add(side, steps, cost)
        if leg.flat:
            del self.legs[symbol]


Fingerprint = tuple[str, int, str, int, int, str, int]


class State:
    """Everything that a decision may depend on. Two states with the same `digest()` decide alike."""

    __slots__ = (
        "accounts",
        "children",
        "client_order_ids",
        "day_ended_at",
        "epoch",
        "exponents",
        "instruments",
        "kill_switches",
        "next_id",
        "orders",
        "pair_paths",
        "policy",
        "quotes",
        "resting",
        "seen",
        "sequence",
    )

    def __init__(self, first_id: int = 1) -> None:
        self.policy = Policy()
        self.instruments: dict[str, InstrumentSpec] = {}
        self.accounts: dict[str, Account] = {}
        self.orders: dict[int, Order] = {}
        self.children: dict[int, ChildOrder] = {}
        self.quotes: dict[str, Quote] = {}
        self.kill_switches: dict[str, str] = {}
        self.exponents: dict[str, int] = {}
        self.client_order_ids: dict[tuple[str, str], tuple[int, Fingerprint]] = {}
        self.resting: dict[str, dict[int, Order]] = {}
        self.seen: set[str] = set()
        self.pair_paths: dict[tuple[str, str], tuple[tuple[str, bool], ...] | None] = {}
        self.next_id = first_id
        self.sequence = 0
        self.epoch = 0
        self.day_ended_at = 0

    def take_id(self) -> int:
        """The next ticket number; orders, deals, positions and child orders share one count."""
        taken = self.next_id
        self.next_id = taken + 1
        return taken

    def adopt_order(self, order: Order) -> None:
        """Put a live order where commands and quotes find it."""
        self.orders[order.id] = order
        self.accounts[order.account].orders[order.id] = order

    def rest(self, order: Order) -> None:
        self.resting.setdefault(order.symbol, {})[order.id] = order

    def release_order(self, order: Order) -> None:
        """Forget an order that ended; its record stays in the database.

        One that went to a venue is kept until the day's pruning, because a venue may still report a fill for it.
        """
        if not order.venue_tries:
            self.orders.pop(order.id, None)
        self.accounts[order.account].orders.pop(order.id, None)
        self.unrest(order)

    def unrest(self, order: Order) -> None:
        book = self.resting.get(order.symbol)
        if book is not None:
            book.pop(order.id, None)

    def prune(self, before: int) -> None:
        """Forget venue orders that ended before a moment (microseconds); later reports for them are refused."""
        for child in [c for c in self.children.values() if not c.open and c.updated_at < before]:
            del self.children[child.id]
        kept = {child.order for child in self.children.values()}
        for order in list(self.orders.values()):
            if order.status in OrdStatus.TERMINAL and order.id not in kept:
                del self.orders[order.id]

    def adopt_position(self, position: Position) -> None:
        account = self.accounts[position.account]
        account.positions[position.id] = position
        account.hold(position.side, position.symbol, position.steps, position.cost)

    def digest(self) -> str:
        """A hash over all that is durable. Quotes and what derives from other fields are left out."""
        hasher = hashlib.blake2b(digest_size=16)
        for part in self._durable():
            hasher.update(_canonical(part))
        return hasher.hexdigest()

    def _durable(self) -> Iterator[Any]:
        yield ("ids", self.next_id, self.sequence, self.epoch, self.day_ended_at)
        yield ("policy", self.policy)
        yield sorted(self.exponents.items())
        yield sorted(self.kill_switches.items())
        yield [self.instruments[key] for key in sorted(self.instruments)]
        for key in sorted(self.accounts):
            account = self.accounts[key]
            yield (account.spec, account.balance, account.credit, account.version)
            yield [account.positions[number] for number in sorted(account.positions)]
        yield [self.orders[key] for key in sorted(self.orders)]
        yield [self.children[key] for key in sorted(self.children)]
        yield sorted(self.client_order_ids.items())
        yield sorted(self.seen)


_canonical = msgspec.msgpack.Encoder(order="deterministic").encode
