"""Orders that are passed on: child orders, and reports that repeat, overtake each other, or do not come."""

from __future__ import annotations

import pytest

from apps.orders.engine.fix import OrdStatus
from tests.orders.desk import Desk


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account(funds="10000", leverage=100, book="A", markup=(("*", 2),))
    return desk


def sent(desk: Desk, lots: str = "1.00", **fields: object):
    result = desk.ordered("buy", lots, **fields)
    (wish,) = result.instructions
    assert wish.kind == "NEW"
    return result.reply.order, wish.child


def test_an_order_goes_to_the_first_venue_and_opens_nothing_before_the_fill(desk):
    order, child = sent(desk)
    assert (child.venue, child.steps, child.tif, child.limit_price) == ("LP1", 100, "3", 0)
    assert desk.live(order).status == OrdStatus.NEW
    assert desk.positions() == []


def test_partial_fills_make_one_position_at_the_average_price(desk):
    order, child = sent(desk)
    desk.report("ACKNOWLEDGED", child.id, venue_order_id="V1")
    desk.report("FILL", child.id, steps=40, price=110_010)
    assert desk.live(order).status == OrdStatus.PARTIALLY_FILLED
    result = desk.report("FILL", child.id, steps=60, price=110_020)
    assert (result.reply.status, result.reply.cum, result.reply.leaves) == ("2", 100, 0)
    (position,) = desk.positions()
    assert (position.steps, position.cost) == (100, 40 * 110_012 + 60 * 110_022)  # mark-up 2
    assert position.book == "A"


def test_a_report_that_comes_twice_is_booked_once(desk):
    _, child = sent(desk)
    desk.report("FILL", child.id, steps=40, price=110_010, exec_id="e1")
    again = desk.report("FILL", child.id, steps=40, price=110_010, exec_id="e1")
    assert (again.reply.duplicate, again.effect) == (True, False)
    assert desk.positions()[0].steps == 40


def test_a_venue_s_end_waits_for_the_fill_that_it_speaks_of(desk):
    order, child = sent(desk)
    desk.report("FILL", child.id, steps=10, price=110_010)
    early = desk.report("CANCELED", child.id, cum=30)
    assert early.reply.status == OrdStatus.PARTIALLY_FILLED
    late = desk.report("FILL", child.id, steps=20, price=110_010)
    assert (late.reply.status, late.reply.cum, late.reply.leaves) == (OrdStatus.CANCELED, 30, 0)
    assert desk.state.orders[order].code == "NOT_FILLABLE_NOW"


def test_a_refusal_goes_on_to_the_next_venue_and_the_last_refusal_rejects(desk):
    order, child = sent(desk)
    second = desk.report("REJECTED", child.id, code="LAST_LOOK")
    (wish,) = second.instructions
    assert (wish.child.venue, wish.child.steps) == ("LP2", 100)
    last = desk.report("REJECTED", wish.child.id, code="LAST_LOOK")
    assert (last.reply.ok, last.reply.status, last.reply.code) == (True, "8", "VENUE_REJECTED")
    assert desk.state.orders[order].leaves == 0
    assert desk.positions() == []
    assert desk.money() == 10_000_00


def test_what_one_venue_left_goes_to_the_next(desk):
    _, child = sent(desk)
    desk.report("FILL", child.id, steps=70, price=110_010)
    result = desk.report("REJECTED", child.id, cum=70)
    (wish,) = result.instructions
    assert (wish.child.venue, wish.child.steps) == ("LP2", 30)


def test_silence_sends_nothing_again_and_a_late_fill_counts_once(desk):
    order, child = sent(desk)
    silent = desk.report("UNKNOWN", child.id)
    assert silent.instructions == []
    assert desk.live(order).status == OrdStatus.NEW
    assert child.unknown_since == desk.at
    filled = desk.report("FILL", child.id, steps=100, price=110_010)
    assert (filled.reply.status, child.unknown_since) == (OrdStatus.FILLED, 0)
    assert len(desk.positions()) == 1


def test_a_venue_that_does_not_know_the_order_ends_it_without_sending_again(desk):
    order, child = sent(desk)
    desk.report("UNKNOWN", child.id)
    result = desk.report("NOT_FOUND", child.id)
    assert (result.reply.status, result.instructions) == (OrdStatus.CANCELED, [])
    assert desk.state.orders[order].code == "VENUE_NOT_FOUND"


def test_a_cancel_on_its_way_is_pending_until_the_venue_answers(desk):
    order, child = sent(desk)
    cancel = desk.cancel(order)
    assert (cancel.reply.status, [w.kind for w in cancel.instructions]) == ("6", ["CANCEL"])
    assert desk.cancel(order).reply.code == "CANCEL_ALREADY_PENDING"
    partial = desk.report("FILL", child.id, steps=40, price=110_010)
    assert partial.reply.status == OrdStatus.PENDING_CANCEL  # FIX 4.4 B.1.b
    done = desk.report("CANCELED", child.id, cum=40)
    assert (done.reply.status, done.reply.cum, done.reply.leaves) == (OrdStatus.CANCELED, 40, 0)


def test_a_cancel_that_the_fill_overtook_is_too_late(desk):
    order, child = sent(desk)
    desk.cancel(order)
    filled = desk.report("FILL", child.id, steps=100, price=110_010)
    assert [e.after for e in filled.events] == [OrdStatus.PENDING_CANCEL, OrdStatus.FILLED]
    assert filled.events[-1].code == "TOO_LATE_TO_CANCEL"


def test_a_cancel_that_the_venue_refuses_shows_what_is_filled(desk):
    order, child = sent(desk)
    desk.report("FILL", child.id, steps=40, price=110_010)
    desk.cancel(order)
    refused = desk.report("CANCEL_REJECTED", child.id)
    assert refused.reply.status == OrdStatus.PARTIALLY_FILLED


def test_a_fill_after_the_end_is_booked_and_flagged(desk):
    order, child = sent(desk)
    desk.report("NOT_FOUND", child.id)
    late = desk.report("FILL", child.id, steps=100, price=110_010)
    assert (late.reply.status, late.reply.cum) == (OrdStatus.CANCELED, 100)
    assert late.executions[0].flagged == "FILL_AFTER_END"
    assert desk.state.orders[order].flagged == "FILL_AFTER_END"
    assert desk.positions()[0].steps == 100


def test_more_than_was_ordered_is_booked_and_flagged(desk):
    _, child = sent(desk)
    over = desk.report("FILL", child.id, steps=110, price=110_010)
    assert over.executions[0].flagged == "VENUE_OVERFILL"
    assert (over.reply.cum, over.reply.leaves) == (110, 0)


def test_a_report_for_a_child_that_was_never_sent_changes_nothing(desk):
    result = desk.report("FILL", 999_999, steps=1, price=1)
    assert (result.reply.code, result.effect) == ("CHILD_ORDER_UNKNOWN", False)


def test_margin_of_what_is_on_its_way_is_taken(desk):
    sent(desk, "8.95")
    assert desk.order("buy", "0.20").code == "FREE_MARGIN_TOO_LOW"


def test_what_was_passed_on_is_closed_where_it_is_held(desk):
    _, child = sent(desk)
    desk.report("FILL", child.id, steps=100, price=110_010)
    (position,) = desk.positions()
    closing = desk.ordered("sell", "1.00", position=position.id, book="B")
    (wish,) = closing.instructions
    assert wish.child.side == 2
    twice = desk.order("sell", "1.00", position=position.id)
    assert twice.code == "CLOSE_EXCEEDS_POSITION"


def test_a_limit_that_triggers_is_sent_with_its_limit_less_the_markup(desk):
    desk.order("buy", "1.00", limit="1.09900")
    result = desk.quote("EURUSD", "1.09880", "1.09890")
    (wish,) = result.instructions
    assert wish.child.limit_price == 109_898


def test_without_any_venue_the_order_is_rejected():
    desk = Desk(venues=())
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account(funds="10000", leverage=100, book="A")
    reply = desk.order("buy", "1.00")
    assert (reply.ok, reply.status, reply.code) == (False, OrdStatus.REJECTED, "VENUE_MISSING")
