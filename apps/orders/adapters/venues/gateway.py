"""Between the engine and the venues: takes child orders out, brings reports in, loses neither.

New instructions come from the engine's stream; the rows that `child_orders_to_send` returns are the record
behind it. Whatever this process cannot be sure to be the first to see (redelivered after a crash, found in
the table) is asked about at the venue and never placed. Reports are handed to the engine's service in the
order in which they came, and again until the service took them.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import msgspec
import redis

from apps.orders.adapters.protocol import (
    ChildInstruction,
    InstructionKind,
    ReportKind,
    VenueAdapter,
    VenueReport,
    VenueTimeout,
)

GROUP = "gateway"
CONSUMER = "gateway"
HEARTBEAT = "gateway:heartbeat"
VENUES = "market:venues"
POLL_SECONDS = 3.0
REFUSALS = 5
LATEST_START_US = 15_000_000
log = logging.getLogger(__name__)
_decode = msgspec.msgpack.Decoder(ChildInstruction).decode
_pack = msgspec.msgpack.Encoder().encode

Sink = Callable[[VenueReport], None]
Submit = Callable[[VenueReport], bool]
Overdue = Callable[[], Iterable[ChildInstruction]]


class VenueWorker:
    """The adapter's own thread: instructions one after the other, so a slow venue delays nobody else."""

    def __init__(self, adapter: VenueAdapter, sink: Sink) -> None:
        self.adapter = adapter
        self._sink = sink
        self._work: queue.Queue[tuple[Callable[[ChildInstruction], None], ChildInstruction] | None]
        self._work = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=f"venue-{adapter.code}", daemon=True)

    def start(self) -> None:
        self.adapter.start(self._sink)
        self._thread.start()

    def stop(self) -> None:
        self._work.put(None)
        self._thread.join(timeout=5)
        self.adapter.stop()

    def take(self, instruction: ChildInstruction, *, certain: bool) -> None:
        """Place it when this is `certain` to be the first time, otherwise ask what became of it."""
        if instruction.kind is InstructionKind.CANCEL:
            self._work.put((self.adapter.cancel, instruction))
        elif certain:
            self._work.put((self.adapter.send, instruction))
        else:
            self._work.put((self.adapter.status, instruction))

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            call, instruction = item
            try:
                call(instruction)
            except VenueTimeout:
                self._sink(_unknown(instruction))
            except Exception:
                log.exception("%s: %s", self.adapter.code, instruction.client_order_id)
                self._sink(_unknown(instruction))


class Reporter:
    """Hands reports to the engine's service, in order, again until it took them.

    One that the service refuses `REFUSALS` times (no such child order) is logged and left.
    """

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._waiting: queue.Queue[VenueReport | None] = queue.Queue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="venue-reports", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join(timeout=5)
        self._stopped.set()

    def put(self, report: VenueReport) -> None:
        self._waiting.put(report)

    @property
    def backlog(self) -> int:
        return self._waiting.qsize()

    def _run(self) -> None:
        while (report := self._waiting.get()) is not None:
            wait, refused = 0.1, 0
            while (taken := self._try(report)) is not True and not self._stopped.wait(wait):
                refused += taken is False
                if refused >= REFUSALS:
                    log.error("report %s was refused for good", report.exec_id)
                    break
                wait = min(wait * 2, 5.0)

    def _try(self, report: VenueReport) -> bool | None:
        """True when it is booked, False when it was refused, None when nobody could say."""
        try:
            return bool(self._submit(report))
        except Exception as error:
            log.warning("report %s is not booked yet: %s", report.exec_id, error or type(error))
            return None


class VenueGateway:
    """Reads the streams of all shards and keeps one worker for each venue."""

    def __init__(
        self,
        adapters: Iterable[VenueAdapter],
        *,
        client: redis.Redis,
        streams: Iterable[str],
        submit: Submit,
        overdue: Overdue = tuple,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._redis = client
        self._streams = list(streams)
        self._overdue = overdue
        self._poll_seconds = poll_seconds
        self.reporter = Reporter(submit)
        self.workers = {a.code: VenueWorker(a, self.reporter.put) for a in adapters}
        self._seen: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Until `stop`. What a former life read and did not finish is asked about first."""
        self.reporter.start()
        for worker in self.workers.values():
            worker.start()
        try:
            self._groups()
            self._redeliver()
            self._loop()
        finally:
            for worker in self.workers.values():
                worker.stop()
            self.reporter.stop()

    def stop(self) -> None:
        self._stopped.set()

    def _loop(self) -> None:
        next_poll = 0.0
        while not self._stopped.is_set():
            try:
                self._read_new()
                if time.monotonic() >= next_poll:
                    next_poll = time.monotonic() + self._poll_seconds
                    self._poll()
                    self._beat()
            except redis.RedisError as error:
                log.warning("redis: %s", error)
                self._stopped.wait(1.0)
                self._groups()

    def _groups(self) -> None:
        for stream in self._streams:
            try:
                self._redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
            except redis.ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise
            except redis.RedisError:
                return

    def _redeliver(self) -> None:
        pending = self._redis.xreadgroup(GROUP, CONSUMER, dict.fromkeys(self._streams, "0"))
        self._handle(pending, certain=False)

    def _read_new(self) -> None:
        entries = self._redis.xreadgroup(
            GROUP, CONSUMER, dict.fromkeys(self._streams, ">"), count=200, block=100
        )
        self._handle(entries, certain=True)

    def _handle(self, batches: Any, *, certain: bool) -> None:
        for stream, entries in batches or ():
            for entry, values in entries:
                if values:
                    self.take(_decode(values[b"c"]), certain=certain)
                self._redis.xack(stream, GROUP, entry)

    def take(self, instruction: ChildInstruction, *, certain: bool) -> None:
        """Hand an instruction to its venue, once."""
        name = f"{instruction.kind}:{instruction.client_order_id}"
        if name in self._seen:
            certain = False
        self._seen[name] = time.monotonic()
        worker = self.workers.get(instruction.venue)
        if worker is None:
            self.reporter.put(_no_such_venue(instruction))
            return
        if certain and instruction.kind is InstructionKind.NEW and self._is_late(instruction):
            self.reporter.put(_too_late(instruction))
            return
        worker.take(instruction, certain=certain)

    def _is_late(self, instruction: ChildInstruction) -> bool:
        """An order that waited for a gateway is not placed at a price that nobody meant."""
        return time.time() * 1_000_000 - instruction.created_us > LATEST_START_US

    def _poll(self) -> None:
        """Child orders that the stream never brought: ask their venue, which decides their fate."""
        for instruction in self._overdue():
            if f"{instruction.kind}:{instruction.client_order_id}" not in self._seen:
                self.take(instruction, certain=False)
        horizon = time.monotonic() - 3600
        self._seen = {name: at for name, at in self._seen.items() if at > horizon}

    def _beat(self) -> None:
        states: dict[str | bytes, Any] = {
            code: _pack(asdict(worker.adapter.state))  # type: ignore[attr-defined]
            for code, worker in self.workers.items()
            if hasattr(worker.adapter, "state")
        }
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(HEARTBEAT, repr(time.time()), ex=60)
        if states:
            pipeline.hset(VENUES, mapping=states)
            pipeline.expire(VENUES, 60)
        pipeline.execute()


def _unknown(instruction: ChildInstruction) -> VenueReport:
    return VenueReport(
        kind=ReportKind.UNKNOWN,
        child_id=instruction.child_id,
        venue=instruction.venue,
        exec_id=f"{instruction.venue}:{instruction.client_order_id}:unknown",
        code="VENUE_SILENT",
    )


def _no_such_venue(instruction: ChildInstruction) -> VenueReport:
    return VenueReport(
        kind=ReportKind.REJECTED,
        child_id=instruction.child_id,
        venue=instruction.venue,
        exec_id=f"{instruction.venue}:{instruction.client_order_id}:no-adapter",
        code="VENUE_UNREACHABLE",
        text="no adapter serves this venue",
    )


def _too_late(instruction: ChildInstruction) -> VenueReport:
    return VenueReport(
        kind=ReportKind.EXPIRED,
        child_id=instruction.child_id,
        venue=instruction.venue,
        exec_id=f"{instruction.venue}:{instruction.client_order_id}:late",
        code="GATEWAY_LATE",
        text="it waited too long for the gateway and was never placed",
    )
