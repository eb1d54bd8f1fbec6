"""Money of positions in integers: floating and realised P/L, margin, conversion. Rounded half even, once, at the end.

Worked examples in `tests/orders/test_valuation.py`: 1.50 lots EURUSD from 1.10000 to 1.10250 gain 375.00 USD,
which buy 299.95 GBP at the ask 1.2502; a loss of 375.00 USD costs 300.00 GBP at the bid 1.2500.
"""

from __future__ import annotations

from apps.orders.engine.commands import InstrumentSpec
from apps.orders.engine.errors import RateMissing
from apps.orders.engine.fix import BUY
from apps.orders.engine.state import Account, Leg, Quote, State

Path = tuple[tuple[str, bool], ...]


def round_half_even(num: int, den: int) -> int:
    """num / den as an integer; `den` is positive."""
    whole, rest = divmod(num, den)
    twice = rest * 2
    if twice > den or (twice == den and whole & 1):
        return whole + 1
    return whole


def conversion_path(state: State, source: str, target: str) -> Path | None:
    """The shortest chain of pairs from one currency to another; ties by symbol. Cached until an instrument changes."""
    key = (source, target)
    if key in state.pair_paths:
        return state.pair_paths[key]
    pairs = sorted(
        (spec.symbol, spec.base, spec.quote) for spec in state.instruments.values() if spec.pair
    )
    reached: dict[str, Path] = {source: ()}
    frontier = [source]
    while frontier and target not in reached:
        following: list[str] = []
        for currency in frontier:
            for symbol, base, quote in pairs:
                for here, there, forward in ((base, quote, True), (quote, base, False)):
                    if here == currency and there not in reached:
                        reached[there] = (*reached[currency], (symbol, forward))
                        following.append(there)
        frontier = following
    path = reached.get(target)
    state.pair_paths[key] = path
    return path


def convert(
    state: State, num: int, den: int, *, source: str, target: str, gain: bool
) -> tuple[int, int]:
    """`num / den` minor units of `source` as a ratio of minor units of `target`, at the client's side of each quote.

    A gain is sold for the account's currency, a loss (and a margin requirement) is bought with it; the broker's bid and
    ask decide which rate that is. Raises `RateMissing`.
    """
    if source == target:
        return num, den
    path = conversion_path(state, source, target)
    if path is None:
        raise RateMissing(source, target)
    for symbol, forward in path:
        spec = state.instruments[symbol]
        quote = state.quotes.get(symbol)
        if quote is None:
            raise RateMissing(source, target)
        shift = 10**spec.digits
        if forward:
            num, den = num * (quote.bid if gain else quote.ask), den * shift
        else:
            num, den = num * shift, den * (quote.ask if gain else quote.bid)
    shift_by = state.exponents.get(target, 2) - state.exponents.get(source, 2)
    if shift_by > 0:
        num *= 10**shift_by
    elif shift_by < 0:
        den *= 10**-shift_by
    return num, den


def in_account_currency(
    state: State, account: Account, spec: InstrumentSpec, point_steps: int
) -> int:
    """The worth of a price difference summed over lot steps, signed, in minor units of the account's currency."""
    num, den = convert(
        state,
        point_steps * spec.value_num,
        spec.value_den,
        source=spec.quote,
        target=account.currency,
        gain=point_steps > 0,
    )
    return round_half_even(num, den)


def markup_points(account: Account, spec: InstrumentSpec) -> int:
    markups = account.markups
    if not markups:
        return 0
    for key in (spec.symbol, spec.asset_class, "*"):
        if key in markups:
            return markups[key]
    return 0


def client_price(account: Account, spec: InstrumentSpec, quote: Quote, side: int) -> int:
    """What this account pays (buy) or gets (sell): the house's quote and the group's mark-up."""
    markup = markup_points(account, spec)
    return quote.ask + markup if side == BUY else quote.bid - markup


def leverage_for(account: Account, spec: InstrumentSpec) -> int:
    """The lowest of all caps: account, jurisdiction by margin class, instrument.

    Where the jurisdiction lists its classes, one that is missing gets no leverage.
    """
    leverage = account.spec.leverage
    if account.caps:
        leverage = min(leverage, account.caps.get(spec.margin_class, 1))
    if spec.max_leverage and spec.max_leverage < leverage:
        leverage = spec.max_leverage
    return max(leverage, 1)


def margin_of(
    state: State, account: Account, spec: InstrumentSpec, long_cost: int, short_cost: int
) -> int:
    """Margin for one symbol: the notional of the larger leg at its open prices ÷ the leverage in force."""
    point_steps = max(long_cost, short_cost)
    if point_steps <= 0:
        return 0
    num, den = convert(
        state,
        point_steps * spec.value_num * spec.margin_num,
        spec.value_den * spec.margin_den * leverage_for(account, spec),
        source=spec.quote,
        target=account.currency,
        gain=False,
    )
    return round_half_even(num, den)


def floating_of(state: State, account: Account, symbol: str, leg: Leg) -> int:
    """What closing everything of one symbol now would bring. Raises `RateMissing` without a quote."""
    spec = state.instruments[symbol]
    quote = state.quotes.get(symbol)
    if quote is None:
        raise RateMissing(symbol, account.currency)
    markup = markup_points(account, spec)
    result = 0
    if leg.long_steps:
        result += in_account_currency(
            state, account, spec, (quote.bid - markup) * leg.long_steps - leg.long_cost
        )
    if leg.short_steps:
        result += in_account_currency(
            state, account, spec, leg.short_cost - (quote.ask + markup) * leg.short_steps
        )
    return result


def equity_of(state: State, account: Account) -> int:
    """Balance + credit + floating P/L."""
    equity = account.balance + account.credit
    for symbol, leg in account.legs.items():
        equity += floating_of(state, account, symbol, leg)
    return equity


def used_margin_of(state: State, account: Account) -> int:
    """Margin of all that is held, and of what is on its way at a venue."""
    used = 0
    extra = in_flight_costs(state, account)
    for symbol in account.legs.keys() | extra.keys():
        leg = account.legs.get(symbol)
        flight = extra.get(symbol, (0, 0))
        used += margin_of(
            state,
            account,
            state.instruments[symbol],
            (leg.long_cost if leg else 0) + flight[0],
            (leg.short_cost if leg else 0) + flight[1],
        )
    return used


def in_flight_costs(state: State, account: Account) -> dict[str, tuple[int, int]]:
    """Per symbol, (long, short) notional in point steps of orders at a venue that may still open something."""
    costs: dict[str, tuple[int, int]] = {}
    for order in account.orders.values():
        if not order.venue_tries or order.position or not order.leaves:
            continue
        quote = state.quotes.get(order.symbol)
        price = order.price or (quote.ask if quote else 0)
        long_cost, short_cost = costs.get(order.symbol, (0, 0))
        if order.side == BUY:
            long_cost += price * order.leaves
        else:
            short_cost += price * order.leaves
        costs[order.symbol] = (long_cost, short_cost)
    return costs


def free_margin_after(
    state: State, account: Account, spec: InstrumentSpec, *, side: int, steps: int, price: int
) -> tuple[int, int, int]:
    """(equity, used margin before, used margin after) as if `steps` more were held from `price`, commission paid.

    Equity already carries the loss of the spread, because the new leg is marked at its closing side.
    """
    symbol = spec.symbol
    before = used_margin_of(state, account)
    equity = equity_of(state, account) - commission_of(account, spec, steps)
    quote = state.quotes.get(symbol)
    if quote is None:
        raise RateMissing(symbol, account.currency)
    trial = Leg()
    trial.add(side, steps, price * steps)
    equity += min(floating_of(state, account, symbol, trial), 0)
    held = account.legs.get(symbol)
    flight = in_flight_costs(state, account).get(symbol, (0, 0))
    long_cost = (held.long_cost if held else 0) + flight[0]
    short_cost = (held.short_cost if held else 0) + flight[1]
    now = margin_of(state, account, spec, long_cost, short_cost)
    if account.spec.mode == "NETTING":
        long_cost, short_cost = _netted(held, flight, side, steps, price)
    else:
        long_cost, short_cost = long_cost + trial.long_cost, short_cost + trial.short_cost
    return equity, before, before - now + margin_of(state, account, spec, long_cost, short_cost)


def _netted(
    held: Leg | None, flight: tuple[int, int], side: int, steps: int, price: int
) -> tuple[int, int]:
    """Open notional per side once `steps` at `price` are netted against what is held."""
    long_steps = held.long_steps if held else 0
    short_steps = held.short_steps if held else 0
    long_cost = (held.long_cost if held else 0) + flight[0]
    short_cost = (held.short_cost if held else 0) + flight[1]
    if side == BUY:
        if short_steps > steps:
            return long_cost, short_cost * (short_steps - steps) // short_steps
        return long_cost + price * (steps - short_steps), flight[1]
    if long_steps > steps:
        return long_cost * (long_steps - steps) // long_steps, short_cost
    return flight[0], short_cost + price * (steps - long_steps)


def commission_of(account: Account, spec: InstrumentSpec, steps: int) -> int:
    """Commission for one side of `steps`, minor units."""
    if not account.spec.commission_minor or not steps:
        return 0
    return round_half_even(account.spec.commission_minor * steps * spec.lot_num, spec.lot_den)


def withdrawable_of(state: State, account: Account) -> int:
    """At most min(balance, free margin − credit), never below zero."""
    free = equity_of(state, account) - used_margin_of(state, account)
    return max(0, min(account.balance, free - account.credit))
