"""The gateway between the engine's stream and a venue on a real line: nothing lost, nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
import redis

from apps.orders.adapters.protocol import ChildInstruction, VenueReport
from apps.orders.adapters.venues.gateway import GROUP, HEARTBEAT, VENUES, VenueGateway
from apps.orders.adapters.venues.tcp import TcpVenue
from tests.venues.conftest import PATIENCE, TERMS, Desk, instruction

STREAM = "engine:main:out"


class Engine:
    """The two ends that the engine has: a stream out and a service in."""

    def __init__(self, client: redis.Redis, desk: Desk) -> None:
        self.client = client
        self.desk = desk
        self.booked: list[VenueReport] = []
        self.outages = 0
        self.rows: list[ChildInstruction] = []
        self.gateway: VenueGateway | None = None

    def instructs(self, item: ChildInstruction) -> None:
        self.client.xadd(STREAM, {b"c": msgspec.msgpack.encode(item)})

    def submit(self, report: VenueReport) -> bool:
        if self.outages:
            self.outages -= 1
            raise ConnectionError("the engine is silent")
        self.booked.append(report)
        return True

    def starts_gateway(self) -> None:
        self.gateway = VenueGateway(
            [TcpVenue("LP_ALPHA", ("127.0.0.1", self.desk.server.port), TERMS, PATIENCE)],
            client=self.client,
            streams=[STREAM],
            submit=self.submit,
            overdue=lambda: self.rows,
            poll_seconds=0.2,
        )
        self.thread = threading.Thread(target=self.gateway.run, daemon=True)
        self.thread.start()
        adapter = self.gateway.workers["LP_ALPHA"].adapter
        self.desk.until(lambda: adapter.state.connected)  # type: ignore[attr-defined]

    def stops_gateway(self) -> None:
        assert self.gateway is not None
        self.gateway.stop()
        self.thread.join(timeout=10)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, f"did not happen; booked: {self.booked}"
            time.sleep(0.01)

    def filled(self, child: int = 1) -> int:
        fills = {
            r.exec_id: r.steps for r in self.booked if r.kind == "FILL" and r.child_id == child
        }
        return sum(fills.values())

    def kinds(self) -> list[str]:
        return [report.kind.value for report in self.booked]


@pytest.fixture
def engine(desk: Desk, fresh_redis: redis.Redis) -> Iterator[Engine]:
    engine = Engine(fresh_redis, desk)
    yield engine
    engine.stops_gateway()


def test_an_instruction_goes_out_and_its_fill_comes_back(engine: Engine):
    engine.starts_gateway()

    engine.instructs(instruction())
    engine.until(lambda: engine.filled() == 100)

    assert engine.kinds() == ["ACKNOWLEDGED", "FILL"]
    assert engine.client.xpending(STREAM, GROUP)["pending"] == 0
    engine.until(lambda: engine.client.exists(HEARTBEAT) == 1)
    state = msgspec.msgpack.decode(engine.client.hget(VENUES, "LP_ALPHA"))
    assert state["connected"] is True


def test_an_instruction_that_was_read_by_a_gateway_that_died_is_asked_about(engine: Engine):
    engine.client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    engine.instructs(instruction())
    engine.client.xreadgroup(GROUP, "gateway", {STREAM: ">"})

    engine.starts_gateway()
    engine.until(lambda: "NOT_FOUND" in engine.kinds())

    assert engine.desk.server.received == []
    assert engine.filled() == 0
    assert engine.client.xpending(STREAM, GROUP)["pending"] == 0


def test_a_gateway_that_died_after_sending_finds_the_fill(engine: Engine):
    engine.desk.venue.send(instruction())
    engine.desk.until_done()
    engine.client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    engine.instructs(instruction())
    engine.client.xreadgroup(GROUP, "gateway", {STREAM: ">"})

    engine.starts_gateway()
    engine.until(lambda: engine.filled() == 100)

    assert len(engine.desk.server.received) == 1


def test_an_order_that_redis_lost_is_asked_about_from_the_table(engine: Engine):
    engine.rows = [instruction()]

    engine.starts_gateway()
    engine.until(lambda: "NOT_FOUND" in engine.kinds())

    assert engine.desk.server.received == []


def test_a_report_is_repeated_in_order_until_the_engine_took_it(engine: Engine):
    engine.outages = 3
    engine.starts_gateway()

    engine.instructs(instruction())
    engine.until(lambda: engine.filled() == 100)

    assert engine.kinds() == ["ACKNOWLEDGED", "FILL"]


def test_an_order_that_waited_too_long_is_never_placed(engine: Engine):
    engine.instructs(instruction(created_us=round((time.time() - 60) * 1_000_000)))

    engine.starts_gateway()
    engine.until(lambda: engine.kinds() == ["EXPIRED"])

    assert engine.booked[0].code == "GATEWAY_LATE"
    assert engine.desk.server.received == []


def test_a_venue_that_nobody_serves_is_answered_with_a_rejection(engine: Engine):
    engine.starts_gateway()

    engine.instructs(instruction(venue="LP_DELTA"))
    engine.until(lambda: engine.kinds() == ["REJECTED"])

    assert engine.booked[0].code == "VENUE_UNREACHABLE"


def test_twenty_orders_through_a_bad_day_are_filled_exactly_once_each(engine: Engine):
    engine.starts_gateway()
    engine.desk.faults(silent=4, duplicate=8, out_of_order=5, latency_ms=20)

    for number in range(1, 21):
        engine.instructs(instruction(number))
        if number == 10:
            engine.desk.faults(disconnect=True)
    children = range(1, 21)
    ends = ("REJECTED", "NOT_FOUND")
    engine.until(
        lambda: all(
            engine.filled(n) == 100
            or any(r.child_id == n and r.kind in ends for r in engine.booked)
            for n in children
        )
    )

    placed = {order.cl_ord_id for order in engine.desk.server.received}
    assert len(placed) == len(engine.desk.server.received)
    assert {n for n in children if engine.filled(n)} == {int(name[1:]) for name in placed}
    assert all(engine.filled(n) in (0, 100) for n in children)
