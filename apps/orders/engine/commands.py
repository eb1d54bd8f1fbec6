"""What can be asked of the engine. Each command is packed with msgspec, journaled as it came, and replayable.

`at` is the time that the sender stamped, in microseconds. `key` names a command that must have its effect exactly
once (an outbox event, a funds reference, a venue's exec id); empty where the command carries its own guard.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Short = Annotated[str, Meta(max_length=24)]
Key = Annotated[str, Meta(max_length=64)]
Whole = Annotated[int, Meta(ge=-(10**13), le=10**13)]


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    at: int
    key: Annotated[str, Meta(max_length=120)] = ""


class Started(Command, frozen=True):
    """A fresh engine process took over. Quotes do not survive a restart, so the replay forgets them here too."""

    epoch: int


class Quotes(Command, frozen=True):
    """The latest quote per symbol: (symbol, bid, ask, time in microseconds)."""

    rows: tuple[tuple[str, int, int, int], ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """House-wide limits of the pre-trade checks. Zero switches a limit off."""

    quote_max_age_us: int = 30_000_000
    collar_bps: int = 500
    orders_per_second: int = 20
    venues: tuple[str, ...] = ()


class PolicySet(Command, frozen=True):
    policy: Policy


class InstrumentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument in integers.

    One point of price on one lot step is worth `value_num / value_den` minor units of `quote`; one lot step is
    `lot_num / lot_den` lots. A `pair` trades one currency for another, so its quotes convert money. Margin is
    notional × `margin_num / margin_den` ÷ leverage. `sessions` are the coming (open, close)
    microseconds; None never closes.
    """

    symbol: str
    asset_class: str
    base: str
    quote: str
    digits: int
    value_num: int
    value_den: int
    lot_num: int
    lot_den: int
    min_steps: int
    max_steps: int
    tick_points: int = 1
    margin_class: str = ""
    margin_num: int = 1
    margin_den: int = 1
    max_leverage: int = 0
    status: str = "TRADABLE"
    sessions: tuple[tuple[int, int], ...] | None = None
    fat_finger_steps: int = 0
    pair: bool = False


class InstrumentChanged(Command, frozen=True):
    spec: InstrumentSpec


class CurrencySet(Command, frozen=True):
    """Decimal places per currency, so money of one can be turned into minor units of another."""

    exponents: tuple[tuple[str, int], ...]


class AccountSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine needs to know about a trading account.

    `status` is ACTIVE, CLOSE_ONLY, or anything else for no trading at all.
    `leverage_caps` hold the margin classes in which the jurisdiction allows less than `leverage`. `commission_minor`
    is per lot and side, `markup` is (symbol or asset class or "*", points).
    """

    account: str
    client: str
    currency: str
    entity: str = ""
    group: str = ""
    mode: str = "HEDGING"
    status: str = "ACTIVE"
    leverage: int = 30
    leverage_caps: tuple[tuple[str, int], ...] = ()
    restrictions: tuple[str, ...] = ()
    book: str = "B"
    commission_minor: int = 0
    markup: tuple[tuple[str, int], ...] = ()
    notional_cap_minor: int = 0
    orders_per_second: int = 0


class AccountSet(Command, frozen=True):
    """An account was opened, or anything about it but its money changed."""

    spec: AccountSpec


class FundsApplied(Command, frozen=True):
    """Money entered (positive) or left (negative) the account; decided elsewhere, so booked even below zero."""

    account: str
    amount: int
    reference: str
    kind: str = "BALANCE"


class FundsReserve(Command, frozen=True):
    """Take money out if it is free to leave. The engine decides, because only it knows the margin."""

    account: str
    amount: int
    reference: str


class KillSwitch(Command, frozen=True):
    """`mode` REJECT_NEW stops all but reductions and cancels, OFF re-arms. `scope` is "firm", "symbol:EURUSD", …"""

    scope: str
    mode: str


class NewOrder(Command, frozen=True):
    account: Key
    client_order_id: Annotated[str, Meta(min_length=1, max_length=64)]
    symbol: Short
    side: Annotated[int, Meta(ge=0, le=9)]
    order_type: Annotated[str, Meta(max_length=1)]
    steps: Whole
    price: Whole = 0
    tif: Annotated[str, Meta(max_length=1)] = "3"
    position: Whole = 0
    book: Annotated[str, Meta(max_length=1)] = ""
    source: Short = ""


class CancelOrder(Command, frozen=True):
    account: Key
    order: int


class VenueReported(Command, frozen=True):
    """A report of the gateway, see `apps.orders.adapters.protocol`."""

    kind: Short
    child: int
    exec_id: Key
    steps: Whole = 0
    price: Whole = 0
    cum: Whole = 0
    venue_order_id: Key = ""
    code: Annotated[str, Meta(max_length=40)] = ""
    text: Annotated[str, Meta(max_length=200)] = ""


class DayEnded(Command, frozen=True):
    """The trading day is over: DAY orders expire."""


AnyCommand = (
    Started
    | Quotes
    | PolicySet
    | InstrumentChanged
    | CurrencySet
    | AccountSet
    | FundsApplied
    | FundsReserve
    | KillSwitch
    | NewOrder
    | CancelOrder
    | VenueReported
    | DayEnded
)

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(AnyCommand).decode
