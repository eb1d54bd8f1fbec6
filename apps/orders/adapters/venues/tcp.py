"""A venue over one TCP line: sends orders, asks when it hears nothing, never sends twice.

Promised: an instruction that was written to the line is either answered by the venue or asked about until it
is; one that could not be written at all is reported as rejected, so that the house may try elsewhere. An
instruction whose fate is open (`status`) is only ever asked about.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from apps.orders.adapters.protocol import (
    ChildInstruction,
    ReportKind,
    ReportSink,
    VenueReport,
    VenueTimeout,
)
from apps.orders.adapters.venues.symbology import (
    SymbolTerms,
    order_for,
    report_for,
)
from apps.orders.adapters.venues.wire import (
    LONGEST_LINE,
    CancelOrder,
    Logon,
    Ping,
    Pong,
    Report,
    Request,
    StatusRequest,
    line,
    read_answer,
)

log = logging.getLogger(__name__)
ENDS = frozenset(
    (ReportKind.REJECTED, ReportKind.CANCELED, ReportKind.EXPIRED, ReportKind.NOT_FOUND)
)
SENDER = "BROKEROS"
REMEMBERED = 20_000


@dataclass
class Pending:
    """An instruction that the venue has not finished, and when to ask about it next."""

    instruction: ChildInstruction
    ask_at: float
    asked: int = 0
    fills: dict[str, int] = field(default_factory=dict)
    end_cum: int | None = None

    def note(self, report: VenueReport) -> None:
        if report.kind is ReportKind.FILL:
            self.fills[report.exec_id] = report.steps
        elif report.kind in ENDS:
            self.end_cum = report.cum_steps

    @property
    def is_over(self) -> bool:
        """The venue said how it ended, and every fill it speaks of has arrived."""
        filled = sum(self.fills.values())
        complete = filled >= self.instruction.steps
        return complete or (self.end_cum is not None and filled >= self.end_cum)


@dataclass(frozen=True)
class Timing:
    """Patience, in seconds."""

    answer: float = 2.0
    ask_again: float = 2.0
    connect: float = 2.0
    reconnect_least: float = 0.2
    reconnect_most: float = 5.0
    ping: float = 5.0


@dataclass
class LineState:
    """What operations sees of a venue's line."""

    connected: bool = False
    since: float = 0.0
    round_trip_ms: float = 0.0
    sent: int = 0
    reports: int = 0
    unknown: int = 0
    connects: int = 0


class TcpVenue:
    """One liquidity provider. A `VenueAdapter`."""

    def __init__(
        self,
        code: str,
        address: tuple[str, int],
        terms: Mapping[str, SymbolTerms],
        timing: Timing | None = None,
    ) -> None:
        self.code = code
        self.address = address
        self.terms = terms
        self.timing = timing or Timing()
        self.state = LineState()
        self._pending: dict[str, Pending] = {}
        self._sent: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._lock = threading.RLock()
        self._socket: socket.socket | None = None
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, sink: ReportSink) -> None:
        """Connect in the background, and reconnect for ever until `stop`."""
        self._sink = sink
        for target in (self._read_for_ever, self._watch_for_ever):
            thread = threading.Thread(
                target=target, name=f"{self.code}-{target.__name__}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def wait_connected(self, seconds: float) -> bool:
        """Whether the line is up within that time."""
        deadline = time.monotonic() + seconds
        while not self.state.connected and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.state.connected

    def stop(self) -> None:
        self._stopped.set()
        self._drop()
        for thread in self._threads:
            thread.join(timeout=5)

    def send(self, instruction: ChildInstruction) -> None:
        """Place the order. Raises `VenueTimeout` when the line broke while it was written.

        An instruction that was here before is asked about instead.
        """
        if instruction.client_order_id in self._sent:
            self.status(instruction)
            return
        terms = self.terms.get(instruction.symbol)
        if terms is None:
            self._refuse(instruction, "UNKNOWN_SYMBOL", f"{self.code} does not trade it")
            return
        message = order_for(instruction, terms)
        with self._lock:
            if self._socket is None:
                self._refuse(instruction, "VENUE_UNREACHABLE", f"{self.code} is not connected")
                return
            self._expect(instruction, self.timing.answer)
            self.state.sent += 1
            self._write_or_time_out(message, instruction)

    def cancel(self, instruction: ChildInstruction) -> None:
        """Ask for a cancel. Raises `VenueTimeout` when nobody is there to ask."""
        with self._lock:
            self._expect(instruction, self.timing.answer)
            self._write_or_time_out(CancelOrder(cl_ord_id=instruction.client_order_id), instruction)

    def status(self, instruction: ChildInstruction) -> None:
        """Ask what became of it, now or as soon as the line is up, and again until the venue says."""
        with self._lock:
            self._expect(instruction, 0.0)
            self._ask_due()

    @property
    def open_questions(self) -> int:
        return len(self._pending)

    def _expect(self, instruction: ChildInstruction, within: float) -> None:
        known = self._pending.get(instruction.client_order_id)
        if known is None:
            known = Pending(instruction, 0.0)
            self._pending[instruction.client_order_id] = known
        known.ask_at = time.monotonic() + within
        self._sent[instruction.client_order_id] = (instruction.child_id, instruction.symbol)
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _write_or_time_out(self, message: Request, instruction: ChildInstruction) -> None:
        if not self._write(message):
            raise VenueTimeout(f"{self.code}: {instruction.client_order_id}")

    def _write(self, message: Request) -> bool:
        with self._lock:
            if self._socket is None:
                return False
            try:
                self._socket.sendall(line(message))
            except OSError:
                self._drop()
                return False
            return True

    def _refuse(self, instruction: ChildInstruction, code: str, text: str) -> None:
        """It certainly never reached the venue."""
        self._sink(
            VenueReport(
                kind=ReportKind.REJECTED,
                child_id=instruction.child_id,
                venue=self.code,
                exec_id=f"{self.code}:{instruction.client_order_id}:{code.lower()}",
                code=code,
                text=text,
            )
        )

    # Reading

    def _read_for_ever(self) -> None:
        wait = self.timing.reconnect_least
        while not self._stopped.is_set():
            connected = self._connect()
            if connected is None:
                self._stopped.wait(wait)
                wait = min(wait * 2, self.timing.reconnect_most)
                continue
            wait = self.timing.reconnect_least
            self._read(connected)
            self._drop()
            self._stopped.wait(wait)

    def _connect(self) -> socket.socket | None:
        try:
            connected = socket.create_connection(self.address, timeout=self.timing.connect)
        except OSError:
            return None
        connected.settimeout(None)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._socket = connected
            self._write(Logon(sender=SENDER))
        return connected

    def _read(self, connected: socket.socket) -> None:
        rest = b""
        while not self._stopped.is_set():
            try:
                received = connected.recv(65_536)
            except OSError:
                return
            if not received:
                return
            *lines, rest = (rest + received).split(b"\n")
            if len(rest) > LONGEST_LINE:
                return
            for text in lines:
                self._take(text)

    def _take(self, text: bytes) -> None:
        try:
            answer = read_answer(text)
        except msgspec.DecodeError as error:
            log.warning("%s sent a line that is no answer: %s", self.code, error)
            return
        if isinstance(answer, Logon):
            self._greeted()
        elif isinstance(answer, Pong):
            self.state.round_trip_ms = time.monotonic() * 1000 - answer.sent_us / 1000
        elif isinstance(answer, Report):
            self._reported(answer)

    def _greeted(self) -> None:
        with self._lock:
            self.state.connected = True
            self.state.connects += 1
            self.state.since = time.time()
            for pending in self._pending.values():
                pending.ask_at = 0.0
            self._ask_due()

    def _reported(self, report: Report) -> None:
        child_id, symbol = self._sent.get(report.cl_ord_id, (0, ""))
        terms = self.terms.get(symbol)
        if terms is None:
            log.warning("%s reported an order that was not sent: %s", self.code, report.cl_ord_id)
            return
        try:
            translated = report_for(report, child_id, self.code, terms)
        except ValueError as error:
            log.warning("%s: a report that cannot be booked: %s", self.code, error)
            return
        self.state.reports += 1
        self._sink(translated)
        self._progress(report.cl_ord_id, translated)

    def _progress(self, cl_ord_id: str, report: VenueReport) -> None:
        with self._lock:
            pending = self._pending.get(cl_ord_id)
            if pending is None:
                return
            pending.ask_at = time.monotonic() + self.timing.ask_again
            pending.note(report)
            if pending.is_over:
                del self._pending[cl_ord_id]

    # Watching

    def _watch_for_ever(self) -> None:
        next_ping = 0.0
        while not self._stopped.wait(0.05):
            with self._lock:
                self._ask_due()
            if time.monotonic() >= next_ping and self.state.connected:
                self._write(Ping(sent_us=round(time.monotonic() * 1_000_000)))
                next_ping = time.monotonic() + self.timing.ping

    def _ask_due(self) -> None:
        now = time.monotonic()
        for name, pending in list(self._pending.items()):
            if pending.ask_at > now:
                continue
            pending.ask_at = now + self.timing.ask_again
            if pending.asked == 0:
                self._tell_unknown(pending)
            pending.asked += 1
            self._write(StatusRequest(cl_ord_id=name))

    def _tell_unknown(self, pending: Pending) -> None:
        self.state.unknown += 1
        self._sink(
            VenueReport(
                kind=ReportKind.UNKNOWN,
                child_id=pending.instruction.child_id,
                venue=self.code,
                exec_id=f"{self.code}:{pending.instruction.client_order_id}:unknown",
                code="VENUE_SILENT",
            )
        )

    def _drop(self) -> None:
        with self._lock:
            self.state.connected = False
            connected, self._socket = self._socket, None
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            connected.close()
