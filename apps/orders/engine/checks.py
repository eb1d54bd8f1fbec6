"""Pre-trade checks. Every check runs, every failure is recorded, the first one decides.

Orders that only reduce what is held pass the checks that exist to stop new risk: a client must always be able
to get out.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.orders.engine.commands import InstrumentSpec
from apps.orders.engine.errors import RateMissing
from apps.orders.engine.fix import BUY, OrdType, TimeInForce
from apps.orders.engine.state import Account, Order, Position, Quote, State
from apps.orders.engine.valuation import (
    client_price,
    convert,
    free_margin_after,
    round_half_even,
)

Outcome = tuple[str, str]  # (code or "", detail)
PASSED: Outcome = ("", "")


class Case:
    """One order with all that its checks look at."""

    __slots__ = (
        "account",
        "at",
        "order",
        "position",
        "price",
        "quote",
        "reducing",
        "spec",
        "state",
    )

    def __init__(self, state: State, account: Account, order: Order, spec: InstrumentSpec, at: int):
        self.state = state
        self.account = account
        self.order = order
        self.spec = spec
        self.at = at
        self.quote: Quote | None = state.quotes.get(spec.symbol)
        self.position: Position | None = account.positions.get(order.position)
        self.reducing = reduces(account, order)
        self.price = worst_price(account, order, spec, self.quote)


def worst_price(account: Account, order: Order, spec: InstrumentSpec, quote: Quote | None) -> int:
    """The least favourable price at which the order may open something now."""
    if order.order_type == OrdType.LIMIT:
        return order.price
    return client_price(account, spec, quote, order.side) if quote else 0


def reduces(account: Account, order: Order) -> bool:
    """Whether the order can only make the account's risk smaller."""
    if order.position:
        return True
    if account.spec.mode != "NETTING":
        return False
    leg = account.legs.get(order.symbol)
    if leg is None:
        return False
    opposite = leg.short_steps if order.side == BUY else leg.long_steps
    return order.steps <= opposite


def check_kill_switch(case: Case) -> Outcome:
    switches = case.state.kill_switches
    if not switches or case.reducing:
        return PASSED
    spec = case.account.spec
    for scope in (
        "firm",
        f"entity:{spec.entity}",
        f"group:{spec.group}",
        f"client:{spec.client}",
        f"account:{spec.account}",
        f"symbol:{case.order.symbol}",
        f"book:{case.order.book}",
    ):
        if scope in switches:
            return "KILL_SWITCH", f"{scope} {switches[scope]}"
    return PASSED


def check_account(case: Case) -> Outcome:
    status = case.account.spec.status
    if status == "ACTIVE" or (status == "CLOSE_ONLY" and case.reducing):
        return PASSED
    return ("ACCOUNT_CLOSE_ONLY" if status == "CLOSE_ONLY" else "ACCOUNT_NOT_ACTIVE"), status


def check_restrictions(case: Case) -> Outcome:
    blocking = [kind for kind in case.account.spec.restrictions if kind in TRADING_RESTRICTIONS]
    if blocking and not case.reducing:
        return "CLIENT_RESTRICTED", ",".join(blocking)
    return PASSED


def check_instrument(case: Case) -> Outcome:
    status = case.spec.status
    if status == "TRADABLE" or (status == "CLOSE_ONLY" and case.reducing):
        return PASSED
    return (
        "INSTRUMENT_CLOSE_ONLY" if status == "CLOSE_ONLY" else "INSTRUMENT_NOT_TRADABLE"
    ), status


def session_open(spec: InstrumentSpec, at: int) -> bool:
    """Whether the instrument trades at a moment; the opening instant counts, the closing one does not."""
    if spec.sessions is None:
        return True
    return any(start <= at < end for start, end in spec.sessions)


def check_session(case: Case) -> Outcome:
    if session_open(case.spec, case.at):
        return PASSED
    return "MARKET_CLOSED", case.order.symbol


def check_quote(case: Case) -> Outcome:
    quote = case.quote
    if quote is None:
        return "QUOTE_MISSING", case.order.symbol
    age = case.at - quote.at
    limit = case.state.policy.quote_max_age_us
    if limit and age > limit:
        return "QUOTE_STALE", f"age_us={age} limit_us={limit}"
    return "", f"bid={quote.bid} ask={quote.ask} age_us={age}"


def check_conversion(case: Case) -> Outcome:
    """Profit and loss must be convertible at the moment of the deal."""
    try:
        convert(case.state, 1, 1, source=case.spec.quote, target=case.account.currency, gain=True)
    except RateMissing as missing:
        return missing.code, str(missing)
    return PASSED


def check_form(case: Case) -> Outcome:
    """Only what this engine can execute: the declared types, and a limit price where one belongs."""
    order = case.order
    if (
        order.order_type not in OrdType.ALL
        or order.tif not in TimeInForce.ALL
        or order.side not in (1, 2)
    ):
        return "UNSUPPORTED_ORDER", f"type={order.order_type} tif={order.tif} side={order.side}"
    if order.order_type == OrdType.LIMIT:
        if order.price <= 0 or order.price % case.spec.tick_points:
            return "PRICE_INVALID", f"price={order.price} tick={case.spec.tick_points}"
    elif order.price:
        return "PRICE_INVALID", "a market order has no price"
    return PASSED


def check_quantity(case: Case) -> Outcome:
    steps = case.order.steps
    spec = case.spec
    if steps <= 0:
        return "QUANTITY_INVALID", f"steps={steps}"
    if case.reducing:
        return PASSED
    if steps < spec.min_steps:
        return "QUANTITY_TOO_SMALL", f"steps={steps} min={spec.min_steps}"
    if spec.max_steps and steps > spec.max_steps:
        return "QUANTITY_TOO_LARGE", f"steps={steps} max={spec.max_steps}"
    return PASSED


def check_position(case: Case) -> Outcome:
    """A close names a position that is there, from its other side, and takes no more than is left of it."""
    order = case.order
    if not order.position:
        return PASSED
    position = case.position
    if position is None or position.symbol != order.symbol or position.side == order.side:
        return "POSITION_UNKNOWN", f"position={order.position}"
    closing = sum(
        other.leaves
        for other in case.account.orders.values()
        if other.position == order.position and other.venue_tries and other.id != order.id
    )
    if order.steps > position.steps - closing:
        return "CLOSE_EXCEEDS_POSITION", f"steps={order.steps} open={position.steps - closing}"
    return PASSED


def check_rate(case: Case) -> Outcome:
    account = case.account
    limit = account.spec.orders_per_second or case.state.policy.orders_per_second
    if limit and account.rate_count > limit and not case.reducing:
        return "ORDER_RATE_EXCEEDED", f"count={account.rate_count} limit={limit}"
    return PASSED


def check_collar(case: Case) -> Outcome:
    """A limit far through the market is a slip of the finger."""
    order = case.order
    bps = case.state.policy.collar_bps
    if not bps or order.order_type != OrdType.LIMIT or case.quote is None:
        return PASSED
    reference = case.quote.ask if order.side == BUY else case.quote.bid
    beyond = order.price - reference if order.side == BUY else reference - order.price
    if beyond * 10_000 > reference * bps:
        return (
            "PRICE_OUTSIDE_COLLAR",
            f"price={order.price} reference={reference} limit_bps={bps}",
        )
    return PASSED


def check_fat_finger(case: Case) -> Outcome:
    limit = case.spec.fat_finger_steps
    if limit and case.order.steps > limit and not case.reducing:
        return "SIZE_FAT_FINGER", f"steps={case.order.steps} limit={limit}"
    return PASSED


def check_notional(case: Case) -> Outcome:
    cap = case.account.spec.notional_cap_minor
    if not cap or case.reducing or case.price <= 0:
        return PASSED
    spec = case.spec
    try:
        num, den = convert(
            case.state,
            case.price * case.order.steps * spec.value_num,
            spec.value_den,
            source=spec.quote,
            target=case.account.currency,
            gain=False,
        )
    except RateMissing as missing:
        return missing.code, str(missing)
    notional = round_half_even(num, den)
    if notional > cap:
        return "NOTIONAL_TOO_LARGE", f"notional={notional} cap={cap}"
    return PASSED


def check_margin(case: Case) -> Outcome:
    """Free margin after the worst fill must not be negative, unless the order lowers the margin used."""
    if case.reducing or case.price <= 0 or case.order.steps <= 0 or case.quote is None:
        return PASSED
    try:
        equity, before, after = free_margin_after(
            case.state,
            case.account,
            case.spec,
            side=case.order.side,
            steps=case.order.steps,
            price=case.price,
        )
    except RateMissing as missing:
        return missing.code, str(missing)
    if after > before and equity < after:
        return "FREE_MARGIN_TOO_LOW", f"equity={equity} required={after}"
    return "", f"equity={equity} required={after}"


TRADING_RESTRICTIONS = frozenset(("no_trading", "close_only", "blocked", "trading"))

CHECKS: tuple[tuple[str, Callable[[Case], Outcome]], ...] = (
    ("kill_switch", check_kill_switch),
    ("account", check_account),
    ("restrictions", check_restrictions),
    ("instrument", check_instrument),
    ("session", check_session),
    ("quote", check_quote),
    ("conversion", check_conversion),
    ("form", check_form),
    ("quantity", check_quantity),
    ("position", check_position),
    ("rate", check_rate),
    ("collar", check_collar),
    ("fat_finger", check_fat_finger),
    ("notional", check_notional),
    ("margin", check_margin),
)


def run_checks(case: Case) -> tuple[list[str], tuple[tuple[str, bool, str], ...]]:
    """(codes of all that failed, in order; every check with its verdict and what it saw)."""
    failing: list[str] = []
    seen: list[tuple[str, bool, str]] = []
    for name, check in CHECKS:
        code, detail = check(case)
        if code:
            failing.append(code)
        seen.append((name, not code, detail))
    return failing, tuple(seen)
