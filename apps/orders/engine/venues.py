"""Child orders: sending a client's order to a venue and booking what the venue says about it.

Reports may repeat and overtake each other. A fill is known by its exec id; an end that the venue states before its last
fill has arrived waits for that fill; silence changes nothing but a date, so nothing is ever sent twice.
"""

from __future__ import annotations

from apps.orders.engine.commands import VenueReported
from apps.orders.engine.errors import RateMissing
from apps.orders.engine.fix import BUY, ExecType, OrdStatus, TimeInForce
from apps.orders.engine.result import ChildWish, Reply, Result
from apps.orders.engine.state import ChildOrder, Order, State
from apps.orders.engine.states import Trigger, working_status
from apps.orders.engine.trades import Fill, book_fill
from apps.orders.engine.valuation import convert, markup_points

ENDS = {
    "REJECTED": OrdStatus.REJECTED,
    "CANCELED": OrdStatus.CANCELED,
    "EXPIRED": OrdStatus.EXPIRED,
    "NOT_FOUND": OrdStatus.CANCELED,
}


def route(state: State, result: Result, order: Order, *, at: int) -> None:
    """Send what is left of an order to the next venue in line, at most as far as the client's limit allows."""
    venues = state.policy.venues
    if order.venue_tries >= len(venues):
        _finish(state, result, order, at=at, code="VENUE_REJECTED" if venues else "VENUE_MISSING")
        return
    account = state.accounts[order.account]
    markup = markup_points(account, state.instruments[order.symbol])
    limit = 0
    if order.price:
        limit = order.price - markup if order.side == BUY else order.price + markup
    child = ChildOrder(
        id=state.take_id(),
        order=order.id,
        account=order.account,
        venue=venues[order.venue_tries],
        symbol=order.symbol,
        side=order.side,
        steps=order.leaves,
        created_at=at,
        updated_at=at,
        tif=TimeInForce.FOK if order.tif == TimeInForce.FOK else TimeInForce.IOC,
        limit_price=limit,
    )
    order.venue_tries += 1
    order.routed_at = at
    state.unrest(order)
    state.children[child.id] = child
    result.children[child.id] = child
    result.orders[order.id] = order
    result.instructions.append(ChildWish("NEW", child))


def request_cancel(state: State, result: Result, order: Order, *, at: int) -> None:
    """Ask the venue to let go of an order that is on its way; only its answer ends the order."""
    result.move(order, Trigger.CANCEL_REQUEST, at=at, exec_type=ExecType.PENDING_CANCEL)
    for child in state.children.values():
        if child.order == order.id and child.open:
            result.instructions.append(ChildWish("CANCEL", child))


def on_report(state: State, result: Result, report: VenueReported) -> None:
    """Book one report of a venue."""
    child = state.children.get(report.child)
    if child is None:
        result.refuse("CHILD_ORDER_UNKNOWN", child=report.child)
        return
    if report.exec_id and report.exec_id in child.exec_ids:
        result.reply = Reply(ok=True, order=child.order, duplicate=True)
        return
    order = state.orders[child.order]
    if report.kind == "FILL" and not _rates_known(state, order):
        result.refuse("CONVERSION_RATE_MISSING", child=child.id)
        return
    _take_report(state, result, order, child, report)
    if report.kind != "UNKNOWN":
        child.unknown_since = 0
    if report.exec_id:
        child.exec_ids = (*child.exec_ids, report.exec_id)
    child.venue_order_id = report.venue_order_id or child.venue_order_id
    child.updated_at = report.at
    result.children[child.id] = child
    if child.open and child.final and child.cum >= child.final_cum:
        child.status = child.final
        _after_end(state, result, order, child, at=report.at)
    result.answer(order, ok=True)


def _take_report(
    state: State, result: Result, order: Order, child: ChildOrder, report: VenueReported
) -> None:
    """What a kind of report says by itself; the end of the child order is drawn afterwards."""
    if report.kind == "FILL":
        _fill(state, result, order, child, report)
    elif report.kind in ENDS:
        _end_stated(child, report)
    elif report.kind == "ACKNOWLEDGED":
        if child.status == OrdStatus.PENDING_NEW:
            child.status = OrdStatus.NEW
    elif report.kind == "UNKNOWN":
        child.unknown_since = child.unknown_since or report.at
    elif report.kind == "CANCEL_REJECTED" and order.status == OrdStatus.PENDING_CANCEL:
        result.move(
            order,
            Trigger.CANCEL_REFUSED,
            at=report.at,
            exec_type=ExecType.ORDER_STATUS,
            code="TOO_LATE_TO_CANCEL",
        )


def _fill(
    state: State, result: Result, order: Order, child: ChildOrder, report: VenueReported
) -> None:
    account = state.accounts[order.account]
    markup = markup_points(account, state.instruments[order.symbol])
    price = report.price + markup if order.side == BUY else report.price - markup
    flagged = ""
    if order.status in OrdStatus.TERMINAL:
        flagged = "FILL_AFTER_END"
    if report.steps > order.steps - order.cum:
        flagged = "VENUE_OVERFILL"
    child.cum += report.steps
    child.notional += report.steps * report.price
    if child.open:
        child.status = working_status(child.cum, max(child.steps - child.cum, 0))
    book_fill(
        state,
        result,
        Fill(
            order=order,
            account=account,
            steps=report.steps,
            price=price,
            at=report.at,
            quote=state.quotes.get(order.symbol),
            child=child,
            exec_id=report.exec_id,
            flagged=flagged,
            markup=markup,
        ),
    )
    if order.status == OrdStatus.PENDING_CANCEL and order.leaves == 0:
        result.move(
            order,
            Trigger.CANCEL_REFUSED,
            at=report.at,
            exec_type=ExecType.ORDER_STATUS,
            code="TOO_LATE_TO_CANCEL",
        )
        order.ended_at = report.at
        state.release_order(order)


def _end_stated(child: ChildOrder, report: VenueReported) -> None:
    """Remember how the venue ended the order; it counts once every fill it speaks of has arrived."""
    if child.open and not child.final:
        child.final = ENDS[report.kind]
        child.final_cum = report.cum
        child.final_code = "VENUE_NOT_FOUND" if report.kind == "NOT_FOUND" else report.code


def _after_end(state: State, result: Result, order: Order, child: ChildOrder, *, at: int) -> None:
    if order.status in OrdStatus.TERMINAL:
        return
    if order.status == OrdStatus.PENDING_CANCEL:
        result.end(state, order, Trigger.CANCEL, at=at, exec_type=ExecType.CANCELED)
    elif child.status == OrdStatus.REJECTED:
        route(state, result, order, at=at)
    else:
        _finish(state, result, order, at=at, code=child.final_code or "NOT_FILLABLE_NOW")


def _finish(state: State, result: Result, order: Order, *, at: int, code: str) -> None:
    """No venue will fill the rest: rejected if nothing was filled by a venue that refused, else cancelled."""
    refused = code in ("VENUE_REJECTED", "VENUE_MISSING") and order.cum == 0
    trigger = Trigger.REJECT if refused else Trigger.CANCEL
    exec_type = ExecType.REJECTED if refused else ExecType.CANCELED
    result.end(state, order, trigger, at=at, exec_type=exec_type, code=code)


def _rates_known(state: State, order: Order) -> bool:
    """Whether a fill could be turned into the account's currency now; if not the report has to come again."""
    spec = state.instruments[order.symbol]
    target = state.accounts[order.account].currency
    try:
        convert(state, 1, 1, source=spec.quote, target=target, gain=True)
    except RateMissing:
        return False
    return True
