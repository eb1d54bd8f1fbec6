"""An adapter and a provider on a real line, with everything that goes wrong on real lines."""

from __future__ import annotations

from apps.orders.adapters.protocol import InstructionKind, VenueAdapter
from apps.orders.adapters.venues.simulator import VenueServer
from tests.venues.conftest import FAST, MARKET, SPECS, Desk, instruction


def test_an_order_travels_in_the_venues_words_and_comes_back_in_ours(desk: Desk):
    assert isinstance(desk.venue, VenueAdapter)

    desk.venue.send(instruction(steps=150, lots="1.50"))
    desk.until_done()

    sent = desk.server.received[0]
    assert (sent.symbol, sent.quantity, sent.price, sent.tif) == ("EUR/USD", "150000", "", "3")
    acknowledged, fill = desk.reports
    assert acknowledged.kind == "ACKNOWLEDGED"
    assert (fill.kind, fill.steps, fill.price_points, fill.cum_steps) == ("FILL", 150, 108_508, 150)
    assert (fill.child_id, fill.venue, fill.venue_order_id) == (1, "LP_ALPHA", "ALPHA-C1")


def test_a_limit_and_another_contract_size_are_translated(desk: Desk):
    desk.venue.send(
        instruction(symbol="XAUUSD", side=2, steps=30, lots="0.30", limit_points=234_990)
    )
    desk.until_done()

    sent = desk.server.received[0]
    assert (sent.symbol, sent.quantity, sent.price) == ("GOLD.b", "0.3", "2349.9")
    assert (desk.reports[-1].steps, desk.reports[-1].price_points) == (30, 235_000)


def test_an_instrument_that_the_venue_does_not_trade_is_rejected_without_asking(desk: Desk):
    desk.venue.send(instruction(symbol="BTCUSD"))

    assert [(r.kind, r.code) for r in desk.reports] == [("REJECTED", "UNKNOWN_SYMBOL")]
    assert desk.server.received == []


def test_silence_is_unknown_and_is_asked_about_and_never_sent_again(desk: Desk):
    desk.faults(silent=1)

    desk.venue.send(instruction())
    desk.until(lambda: "FILL" in desk.kinds())
    desk.until_done()

    assert desk.kinds()[0] == "UNKNOWN"
    assert desk.filled_steps() == 100
    assert len(desk.server.received) == 1


def test_an_order_that_was_lost_on_the_way_is_closed_without_a_fill(desk: Desk):
    desk.faults(lost=1)

    desk.venue.send(instruction())
    desk.until(lambda: "NOT_FOUND" in desk.kinds())
    desk.until_done()

    assert desk.filled_steps() == 0
    assert len(desk.server.received) == 1
    desk.venue.send(instruction())
    desk.until_done()
    assert desk.filled_steps() == 0


def test_the_same_instruction_twice_is_one_order(desk: Desk):
    desk.venue.send(instruction())
    desk.until_done()
    desk.venue.send(instruction())
    desk.until_done()

    assert len(desk.server.received) == 1
    assert desk.filled_steps() == 100


def test_duplicated_reports_carry_the_same_exec_id(desk: Desk):
    desk.faults(duplicate=1)

    desk.venue.send(instruction())
    desk.until(lambda: desk.kinds().count("FILL") == 2)

    assert desk.filled_steps() == 100
    assert len(desk.distinct()) == 2


def test_an_end_that_overtakes_its_fill_waits_for_it(desk: Desk):
    desk.faults(out_of_order=1, partial=1, partial_share=0.4)

    desk.venue.send(instruction())
    desk.until_done()

    assert desk.kinds() == ["CANCELED", "FILL", "ACKNOWLEDGED"] or desk.kinds()[:2] == [
        "CANCELED",
        "FILL",
    ]
    assert (desk.reports[0].cum_steps, desk.filled_steps()) == (40, 40)


def test_a_line_that_breaks_after_sending_is_healed_by_asking(desk: Desk):
    desk.faults(latency_ms=150)

    desk.venue.send(instruction())
    desk.faults(disconnect=True, latency_ms=0)
    desk.until(lambda: "FILL" in desk.kinds())
    desk.until_done()

    assert desk.filled_steps() == 100
    assert len(desk.server.received) == 1
    assert desk.venue.state.connects == 2


def test_during_an_outage_an_order_is_rejected_so_that_it_can_go_elsewhere(desk: Desk):
    desk.faults(outage=1)
    desk.until(lambda: not desk.venue.state.connected)

    desk.venue.send(instruction())

    assert [(r.kind, r.code) for r in desk.reports] == [("REJECTED", "VENUE_UNREACHABLE")]
    assert desk.server.received == []
    desk.until(lambda: desk.venue.state.connected)
    desk.venue.send(instruction(2))
    desk.until_done()
    assert desk.filled_steps() == 100


def test_a_provider_that_restarts_remembers_what_it_filled(desk: Desk):
    desk.faults(silent=1)
    desk.venue.send(instruction())
    desk.until(lambda: len(desk.server.received) == 1)
    desk.server.shutdown()

    desk.server = VenueServer(
        FAST, SPECS, MARKET.get, port=desk.server.port, journal=desk.journal
    ).start()
    desk.until(lambda: "FILL" in desk.kinds())

    assert desk.filled_steps() == 100
    assert desk.server.received == []


def test_a_gateway_that_restarts_asks_and_never_places_again(desk: Desk):
    desk.faults(silent=1)
    desk.venue.send(instruction())
    desk.until(lambda: len(desk.server.received) == 1)
    desk.venue.stop()
    desk.reports.clear()

    desk.connect()
    desk.venue.status(instruction())
    desk.until(lambda: "FILL" in desk.kinds())

    assert desk.filled_steps() == 100
    assert len(desk.server.received) == 1


def test_a_cancel_that_comes_too_late_says_so(desk: Desk):
    desk.venue.send(instruction())
    desk.until_done()

    desk.venue.cancel(instruction(kind=InstructionKind.CANCEL))
    desk.until(lambda: "CANCEL_REJECTED" in desk.kinds())

    assert desk.filled_steps() == 100


def test_nonsense_on_the_line_is_ignored(desk: Desk):
    import socket

    with socket.create_connection(("127.0.0.1", desk.server.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n{}\n[1]\n")
        desk.venue.send(instruction())
        desk.until_done()

    assert desk.filled_steps() == 100
