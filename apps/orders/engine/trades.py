"""What a fill does: to the order, to positions, to the account's money."""

from __future__ import annotations

from apps.orders.engine.fix import BUY, ExecType, OrdStatus
from apps.orders.engine.result import Result
from apps.orders.engine.state import Account, ChildOrder, Execution, Order, Position, Quote, State
from apps.orders.engine.states import Trigger
from apps.orders.engine.valuation import (
    client_price,
    commission_of,
    in_account_currency,
    round_half_even,
)

NO_QUOTE = Quote(0, 0, 0)


class Fill:
    """One fill on its way into the books."""

    __slots__ = (
        "account",
        "at",
        "child",
        "exec_id",
        "flagged",
        "markup",
        "order",
        "price",
        "quote",
        "steps",
    )

    def __init__(
        self,
        *,
        order: Order,
        account: Account,
        steps: int,
        price: int,
        at: int,
        quote: Quote | None,
        child: ChildOrder | None = None,
        exec_id: str = "",
        flagged: str = "",
        markup: int = 0,
    ) -> None:
        """`markup` is what the house put on a venue's price, in points; it is part of `price`."""
        self.order = order
        self.account = account
        self.steps = steps
        self.price = price
        self.at = at
        self.quote = quote or NO_QUOTE
        self.child = child
        self.exec_id = exec_id
        self.flagged = flagged
        self.markup = markup


def book_fill(state: State, result: Result, fill: Fill) -> None:
    """Record a fill. Closes what it closes first, opens with the rest; a fill that does both makes two executions."""
    order, account = fill.order, fill.account
    charged = order.cum
    order.cum += fill.steps
    order.notional += fill.steps * fill.price
    order.executed_at = fill.at
    ended = order.status in OrdStatus.TERMINAL
    if not ended:
        order.leaves = max(order.leaves - fill.steps, 0)
    rest = fill.steps
    closing = position_reduced_by(account, order)
    if closing is not None:
        taken = min(rest, closing.steps)
        _close(state, result, fill, closing, taken, charged)
        charged += taken
        rest -= taken
    if rest:
        if order.position and closing is None:
            fill.flagged = fill.flagged or "POSITION_CLOSED"
        _open(state, result, fill, rest, charged)
    if fill.flagged:
        order.flagged = fill.flagged
    result.touch(account)
    result.move(order, Trigger.TRADE, at=fill.at, exec_type=ExecType.TRADE, code=fill.flagged)
    if order.status == OrdStatus.FILLED and not ended:
        order.ended_at = fill.at
        state.release_order(order)


def position_reduced_by(account: Account, order: Order) -> Position | None:
    """The position that this order's fills reduce, if any."""
    if order.position:
        return account.positions.get(order.position)
    if account.spec.mode != "NETTING":
        return None
    for position in account.positions.values():
        if position.symbol == order.symbol and position.side != order.side:
            return position
    return None


def _close(
    state: State, result: Result, fill: Fill, position: Position, steps: int, charged: int
) -> None:
    """Take `steps` out of a position. Parts of its cost are split so that they sum to the whole."""
    account = fill.account
    spec = state.instruments[position.symbol]
    cost = (
        position.cost
        if steps == position.steps
        else round_half_even(position.cost * steps, position.steps)
    )
    point_steps = fill.price * steps - cost
    if position.side != BUY:
        point_steps = -point_steps
    realized = in_account_currency(state, account, spec, point_steps)
    commission = _commission(account, fill, state, charged, steps)
    account.balance += realized - commission
    account.hold(position.side, position.symbol, -steps, -cost)
    position.steps -= steps
    position.cost -= cost
    position.realized += realized
    position.commission += commission
    position.updated_at = fill.at
    if position.steps == 0:
        position.closed_at = fill.at
        position.close_reason = "CLIENT" if fill.order.position else "NETTED"
        del account.positions[position.id]
    result.positions[position.id] = position
    _execution(state, result, fill, position, "OUT", steps, realized, commission, 0)


def _open(state: State, result: Result, fill: Fill, steps: int, charged: int) -> None:
    """Add `steps` to the account: to the order's own position, the netted one, or a new one."""
    order, account = fill.order, fill.account
    spec = state.instruments[order.symbol]
    position = account.positions.get(order.opened)
    if position is None and account.spec.mode == "NETTING":
        position = next((p for p in account.positions.values() if p.symbol == order.symbol), None)
    if position is None:
        position = Position(
            id=state.take_id(),
            account=order.account,
            symbol=order.symbol,
            side=order.side,
            book=order.book,
            steps=0,
            cost=0,
            opened_at=fill.at,
            updated_at=fill.at,
        )
        account.positions[position.id] = position
    order.opened = position.id
    cost = fill.price * steps
    position.steps += steps
    position.cost += cost
    position.updated_at = fill.at
    account.hold(order.side, order.symbol, steps, cost)
    commission = _commission(account, fill, state, charged, steps)
    account.balance -= commission
    position.commission += commission
    spread = 0
    if fill.quote is not NO_QUOTE:
        ask = client_price(account, spec, fill.quote, BUY)
        bid = client_price(account, spec, fill.quote, 2)
        spread = abs(in_account_currency(state, account, spec, -(ask - bid) * steps))
    result.positions[position.id] = position
    _execution(state, result, fill, position, "IN", steps, 0, commission, spread)


def _commission(account: Account, fill: Fill, state: State, charged: int, steps: int) -> int:
    """This part's share of the order's commission; all parts together make exactly the whole."""
    spec = state.instruments[fill.order.symbol]
    return commission_of(account, spec, charged + steps) - commission_of(account, spec, charged)


def _markup(state: State, fill: Fill, position: Position, steps: int) -> int:
    """The house's part of a price that a venue made."""
    if not fill.markup:
        return 0
    spec = state.instruments[position.symbol]
    return in_account_currency(state, fill.account, spec, fill.markup * steps)


def _execution(
    state: State,
    result: Result,
    fill: Fill,
    position: Position,
    entry: str,
    steps: int,
    realized: int,
    commission: int,
    spread_cost: int,
) -> None:
    order = fill.order
    result.executions.append(
        Execution(
            id=state.take_id(),
            order=order.id,
            account=order.account,
            position=position.id,
            symbol=order.symbol,
            side=order.side,
            entry=entry,
            steps=steps,
            price=fill.price,
            at=fill.at,
            book=order.book,
            realized=realized,
            commission=commission,
            spread_cost=spread_cost,
            currency=fill.account.currency,
            markup=_markup(state, fill, position, steps),
            bid=fill.quote.bid,
            ask=fill.quote.ask,
            child=fill.child.id if fill.child else 0,
            venue_exec_id=fill.exec_id,
            flagged=fill.flagged,
        )
    )
