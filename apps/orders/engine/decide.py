"""The one door into the engine: a command in, the state moved, a `Result` out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.orders.engine import venues
from apps.orders.engine.checks import (
    Case,
    check_account,
    check_conversion,
    check_instrument,
    check_kill_switch,
    check_margin,
    check_position,
    check_restrictions,
    run_checks,
    session_open,
)
from apps.orders.engine.commands import (
    AccountSet,
    CancelOrder,
    Command,
    CurrencySet,
    DayEnded,
    FundsApplied,
    FundsReserve,
    InstrumentChanged,
    KillSwitch,
    NewOrder,
    PolicySet,
    Quotes,
    Started,
    VenueReported,
)
from apps.orders.engine.errors import RateMissing
from apps.orders.engine.fix import BUY, ExecType, OrdStatus, OrdType, TimeInForce
from apps.orders.engine.result import FundsMoved, Reply, Result
from apps.orders.engine.state import Account, Fingerprint, Order, Quote, State
from apps.orders.engine.states import Trigger
from apps.orders.engine.trades import Fill, book_fill, position_reduced_by
from apps.orders.engine.valuation import client_price, withdrawable_of

SECOND_US = 1_000_000
VENUE_MEMORY_US = 2 * 24 * 3600 * SECOND_US


def decide(state: State, command: Command) -> Result:
    """Apply one command.

    The state is changed in place and the result lists every row that changed, so a caller that cannot store the rows
    must throw the state away. Nothing here reads a clock, a file, a random number or a setting.
    """
    result = Result()
    if command.key and command.key in state.seen:
        result.reply = Reply(ok=True, duplicate=True)
        return result
    HANDLERS[type(command)](state, result, command)
    if result.reply is None:
        result.reply = Reply(ok=True)
    if command.key and result.reply.ok:
        state.seen.add(command.key)
        result.new_keys.append(command.key)
    if result.effect:
        state.sequence += 1
    return result


def on_started(state: State, result: Result, command: Started) -> None:
    state.epoch = command.epoch
    state.quotes.clear()
    result.specs = True


def on_policy(state: State, result: Result, command: PolicySet) -> None:
    state.policy = command.policy
    result.specs = True


def on_currencies(state: State, result: Result, command: CurrencySet) -> None:
    state.exponents = dict(command.exponents)
    result.specs = True


def on_instrument(state: State, result: Result, command: InstrumentChanged) -> None:
    state.instruments[command.spec.symbol] = command.spec
    state.pair_paths.clear()
    result.specs = True


def on_account(state: State, result: Result, command: AccountSet) -> None:
    account = state.accounts.get(command.spec.account)
    if account is None:
        account = state.accounts[command.spec.account] = Account(command.spec)
    else:
        account.configure(command.spec)
    result.touch(account)


def on_funds_applied(state: State, result: Result, command: FundsApplied) -> None:
    account = state.accounts.get(command.account)
    if account is None:
        result.refuse("ACCOUNT_UNKNOWN", account=command.account)
        return
    if command.kind == "CREDIT":
        account.credit += command.amount
    else:
        account.balance += command.amount
    _funds_moved(result, account, command.amount, command.reference, command.kind)


def on_funds_reserve(state: State, result: Result, command: FundsReserve) -> None:
    account = state.accounts.get(command.account)
    if account is None:
        result.refuse("ACCOUNT_UNKNOWN", account=command.account)
        return
    try:
        available = withdrawable_of(state, account)
    except RateMissing as missing:
        result.refuse(missing.code, str(missing))
        return
    if command.amount <= 0 or command.amount > available:
        result.refuse("FREE_MARGIN_TOO_LOW", available=available, requested=command.amount)
        return
    account.balance -= command.amount
    _funds_moved(result, account, -command.amount, command.reference, "RESERVE")
    result.reply = Reply(ok=True, values={"balance": account.balance})


def _funds_moved(result: Result, account: Account, amount: int, reference: str, kind: str) -> None:
    result.touch(account)
    result.funds.append(
        FundsMoved(
            account=account.spec.account,
            amount=amount,
            balance=account.balance,
            reference=reference,
            kind=kind,
        )
    )


def on_kill_switch(state: State, result: Result, command: KillSwitch) -> None:
    if command.mode == "OFF":
        state.kill_switches.pop(command.scope, None)
    else:
        state.kill_switches[command.scope] = command.mode
    result.specs = True


def on_new_order(state: State, result: Result, command: NewOrder) -> None:
    """Capture, check, execute. The same client order id with the same content gets the first answer again."""
    account = state.accounts.get(command.account)
    if account is None:
        result.refuse("ACCOUNT_UNKNOWN", account=command.account)
        return
    print_ = fingerprint(command)
    known = state.client_order_ids.get((command.account, command.client_order_id))
    if known is not None:
        _repeat(state, result, known, print_)
        return
    _count_rate(account, command.at)
    order = _captured(state, account, command)
    state.client_order_ids[(command.account, command.client_order_id)] = (order.id, print_)
    spec = state.instruments.get(command.symbol)
    if spec is None:
        order.failing = ("INSTRUMENT_UNKNOWN",)
    else:
        failing, order.checks = run_checks(Case(state, account, order, spec, command.at))
        order.failing = tuple(failing)
    order.validated_at = command.at
    if order.failing:
        _reject(result, order, command.at)
    else:
        order.leaves = order.steps
        order.working_at = command.at
        state.adopt_order(order)
        result.move(order, Trigger.ACCEPT, at=command.at, exec_type=ExecType.NEW)
        _execute(state, result, account, order, command.at)
    result.answer(order)


def fingerprint(command: NewOrder) -> Fingerprint:
    """What makes two requests with one client order id the same request."""
    return (
        command.symbol,
        command.side,
        command.order_type,
        command.steps,
        command.price,
        command.tif,
        command.position,
    )


def _repeat(
    state: State, result: Result, known: tuple[int, Fingerprint], wanted: Fingerprint
) -> None:
    number, first = known
    if first != wanted:
        result.refuse("DUPLICATE_CLIENT_ORDER_ID", order=number)
        return
    order = state.orders.get(number)
    if order is None:
        result.reply = Reply(ok=True, order=number, duplicate=True)
    else:
        result.answer(order, duplicate=True)


def _count_rate(account: Account, at: int) -> None:
    second = at // SECOND_US
    if account.rate_second != second:
        account.rate_second = second
        account.rate_count = 0
    account.rate_count += 1


def _captured(state: State, account: Account, command: NewOrder) -> Order:
    order = Order(
        id=state.take_id(),
        account=command.account,
        client_order_id=command.client_order_id,
        symbol=command.symbol,
        side=command.side,
        order_type=command.order_type,
        tif=command.tif,
        steps=command.steps,
        price=command.price,
        position=command.position,
        book=command.book or account.spec.book,
        source=command.source,
        captured_at=command.at,
    )
    held = position_reduced_by(account, order)
    if held is not None:
        order.book = held.book  # what was passed on is closed where it is held
    return order


def _reject(result: Result, order: Order, at: int) -> None:
    order.code = order.failing[0]
    detail = {name: text for name, passed, text in order.checks if not passed}
    order.text = next(iter(detail.values()), "")
    order.ended_at = at
    result.move(
        order, Trigger.REJECT, at=at, exec_type=ExecType.REJECTED, code=order.code, text=order.text
    )


def _execute(state: State, result: Result, account: Account, order: Order, at: int) -> None:
    """Fill, send out or rest an accepted order, by its type, its time in force and its book."""
    quote = state.quotes[order.symbol]
    if order.order_type == OrdType.MARKET or _marketable(state, account, order, quote):
        _take(state, result, account, order, quote, at)
    elif order.tif in (TimeInForce.IOC, TimeInForce.FOK):
        result.end(
            state,
            order,
            Trigger.CANCEL,
            at=at,
            exec_type=ExecType.CANCELED,
            code="NOT_FILLABLE_NOW",
        )
    else:
        state.rest(order)


def _marketable(state: State, account: Account, order: Order, quote: Quote) -> bool:
    price = client_price(account, state.instruments[order.symbol], quote, order.side)
    return price <= order.price if order.side == BUY else price >= order.price


def _take(
    state: State, result: Result, account: Account, order: Order, quote: Quote, at: int
) -> None:
    """Execute against the house (B) at the client's own price, or at a venue (A)."""
    if order.book == "A":
        venues.route(state, result, order, at=at)
        return
    price = client_price(account, state.instruments[order.symbol], quote, order.side)
    order.routed_at = at
    state.unrest(order)
    book_fill(
        state,
        result,
        Fill(order=order, account=account, steps=order.leaves, price=price, at=at, quote=quote),
    )


def on_quotes(state: State, result: Result, command: Quotes) -> None:
    """Take the latest quotes, then let resting orders of those symbols trigger, oldest first."""
    for symbol, bid, ask, at in command.rows:
        if symbol in state.instruments and 0 < bid <= ask:
            state.quotes[symbol] = Quote(bid, ask, at)
    for symbol in sorted({row[0] for row in command.rows}):
        resting = state.resting.get(symbol)
        if resting:
            for number in sorted(resting):
                _try_trigger(state, result, resting[number], command.at)


def _try_trigger(state: State, result: Result, order: Order, at: int) -> None:
    account = state.accounts[order.account]
    quote = state.quotes[order.symbol]
    spec = state.instruments[order.symbol]
    if not _marketable(state, account, order, quote) or not session_open(spec, at):
        return
    case = Case(state, account, order, spec, at)
    failing = [code for code, _ in (check(case) for check in TRIGGER_CHECKS) if code]
    if any(code in HOLDING for code in failing):
        return
    if failing:
        result.end(
            state, order, Trigger.CANCEL, at=at, exec_type=ExecType.CANCELED, code=failing[0]
        )
        return
    _take(state, result, account, order, quote, at)


def on_cancel(state: State, result: Result, command: CancelOrder) -> None:
    """Cancelling is always allowed; it may only come too late."""
    order = state.orders.get(command.order)
    if order is not None and order.account != command.account:
        order = None
        result.refuse("ORDER_UNKNOWN", order=command.order)
    elif order is None or order.status in OrdStatus.TERMINAL:
        code = "TOO_LATE_TO_CANCEL" if command.order < state.next_id else "ORDER_UNKNOWN"
        result.refuse(code, order=command.order)
    elif order.status == OrdStatus.PENDING_CANCEL:
        result.refuse("CANCEL_ALREADY_PENDING", order=order.id)
    elif order.venue_tries:
        venues.request_cancel(state, result, order, at=command.at)
        result.answer(order)
    else:
        result.end(state, order, Trigger.CANCEL, at=command.at, exec_type=ExecType.CANCELED)
        result.answer(order)


def on_day_ended(state: State, result: Result, command: DayEnded) -> None:
    """Resting DAY orders from before that moment expire; memory of what venues finished days ago is let go."""
    for number in sorted(state.orders):
        order = state.orders[number]
        resting = state.resting.get(order.symbol, {})
        stale = order.tif == TimeInForce.DAY and order.captured_at < command.at
        if stale and number in resting:
            result.end(state, order, Trigger.EXPIRE, at=command.at, exec_type=ExecType.EXPIRED)
    state.day_ended_at = command.at
    state.prune(command.at - VENUE_MEMORY_US)
    result.specs = True


def on_venue_report(state: State, result: Result, command: VenueReported) -> None:
    venues.on_report(state, result, command)


TRIGGER_CHECKS = (
    check_kill_switch,
    check_account,
    check_restrictions,
    check_instrument,
    check_conversion,
    check_position,
    check_margin,
)
# an order waits behind these instead of dying of them
HOLDING = frozenset(
    (
        "KILL_SWITCH",
        "ACCOUNT_NOT_ACTIVE",
        "ACCOUNT_CLOSE_ONLY",
        "CLIENT_RESTRICTED",
        "INSTRUMENT_NOT_TRADABLE",
        "INSTRUMENT_CLOSE_ONLY",
        "CONVERSION_RATE_MISSING",
    )
)

HANDLERS: dict[type[Command], Callable[[State, Result, Any], None]] = {
    Started: on_started,
    Quotes: on_quotes,
    PolicySet: on_policy,
    CurrencySet: on_currencies,
    InstrumentChanged: on_instrument,
    AccountSet: on_account,
    FundsApplied: on_funds_applied,
    FundsReserve: on_funds_reserve,
    KillSwitch: on_kill_switch,
    NewOrder: on_new_order,
    CancelOrder: on_cancel,
    VenueReported: on_venue_report,
    DayEnded: on_day_ended,
}
