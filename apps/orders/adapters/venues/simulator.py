"""Three liquidity providers over TCP, for whoever has no contract with one.

Each listens on its own port of the loopback interface and keeps what it did in a journal, so a restart
forgets nothing. A `control` message sets faults (see `provider.Faults`) and three that belong to the line:
`outage` (seconds without service), `restart` (drop everybody, read the journal again) and `disconnect`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from apps.core import clock
from apps.orders.adapters.venues.provider import (
    PROFILES,
    BookedOrder,
    LiquidityProvider,
    Prices,
    PriceSource,
    Profile,
    Timed,
    VenueSpec,
)
from apps.orders.adapters.venues.wire import (
    LONGEST_LINE,
    CancelOrder,
    Control,
    Logon,
    NewOrder,
    Ping,
    Pong,
    Report,
    StatusRequest,
    line,
    read_request,
)

HOST = "127.0.0.1"
log = logging.getLogger(__name__)


class Journal:
    """Every report of every order, one line each; what is in it was decided for good."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._decode = msgspec.json.Decoder(Report).decode

    def append(self, reports: list[Report]) -> None:
        with self.path.open("ab") as file:
            file.write(b"".join(line(report) for report in reports))

    def orders(self) -> list[BookedOrder]:
        """The orders of former lives; a line that a crash cut short is left out."""
        found: dict[str, BookedOrder] = {}
        if not self.path.exists():
            return []
        for text in self.path.read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                report = self._decode(text)
                order = BookedOrder(report.cl_ord_id, report.order_id)
                found.setdefault(report.cl_ord_id, order).reports.append(report)
        return list(found.values())


class VenueServer:
    """One provider on one port, in a thread of its own."""

    def __init__(
        self,
        profile: Profile,
        specs: list[VenueSpec],
        prices: PriceSource,
        *,
        port: int,
        journal: Path,
        seed: int = 1,
        bind: str = HOST,
    ) -> None:
        self._make = partial(LiquidityProvider, profile, specs, prices, seed=seed)
        self.journal = Journal(journal)
        self.port = port
        self.bind = bind
        self.provider = self._restored()
        self.received: list[NewOrder] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._closed_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"venue-{profile.code}", daemon=True
        )

    def start(self) -> VenueServer:
        """Listen; `port` 0 takes a free one. Raises OSError when the port is taken."""
        self._thread.start()
        future = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        try:
            self._server = future.result(timeout=10)
        except OSError:
            self._loop.call_soon_threadsafe(self._loop.stop)
            raise
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def shutdown(self) -> None:
        """Stop listening and drop everybody; the journal keeps what was decided."""
        if not self._loop.is_running():
            return
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self.bind, self.port, limit=LONGEST_LINE)

    async def _stop(self) -> None:
        self._server.close()
        await self._disconnect_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0)

    def _restored(self) -> LiquidityProvider:
        provider = self._make()
        for booked in self.journal.orders():
            provider.restore(booked)
        return provider

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._loop.time() < self._closed_until:
            writer.close()
            return
        self._writers.add(writer)
        try:
            while text := await reader.readline():
                await self._answer(text, writer)
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, text: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = read_request(text)
        except msgspec.DecodeError as error:
            log.warning("a line that is no request: %s", error)
            return
        now_us = round(clock.now().timestamp() * 1_000_000)
        if isinstance(request, NewOrder):
            self.received.append(request)
            known = request.cl_ord_id in self.provider.orders
            timed = self.provider.new(request, now_us)
            booked = self.provider.orders.get(request.cl_ord_id)
            if booked is not None and not known:
                self.journal.append(booked.reports)
            self._send_later(timed)
        elif isinstance(request, CancelOrder):
            self._send_later(self.provider.cancel(request, now_us))
        elif isinstance(request, StatusRequest):
            self._send_later(self.provider.status(request, now_us))
        elif isinstance(request, Control):
            await self._control(request, writer)
        else:
            greeting = Pong(sent_us=request.sent_us) if isinstance(request, Ping) else request
            writer.write(line(greeting if isinstance(greeting, Pong | Logon) else Pong()))

    def _send_later(self, timed: list[Timed]) -> None:
        for delay_ms, report in timed:
            task = self._loop.create_task(self._send(delay_ms / 1000, report))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, delay: float, report: Report) -> None:
        """Reports go to everybody who is connected when they are due, and are lost when nobody is."""
        await asyncio.sleep(delay)
        for writer in list(self._writers):
            with contextlib.suppress(ConnectionError, RuntimeError):
                writer.write(line(report))

    async def _control(self, request: Control, writer: asyncio.StreamWriter) -> None:
        faults = dict(request.faults)
        outage = float(faults.pop("outage", 0) or 0)
        restart = bool(faults.pop("restart", False))
        disconnect = bool(faults.pop("disconnect", False))
        try:
            self.provider.faults.set(faults)
            answer: dict[str, Any] = self.provider.faults.as_dict()
        except ValueError as error:
            answer = {"error": str(error)}
        writer.write(line(Control(faults=answer)))
        await writer.drain()
        if outage:
            self._closed_until = self._loop.time() + outage
        if restart:
            for task in list(self._tasks):
                task.cancel()
            self.provider = self._restored()
        if outage or restart or disconnect:
            await self._disconnect_all()

    async def _disconnect_all(self) -> None:
        for writer in list(self._writers):
            writer.close()
        self._writers.clear()


def start_alpha(*, port: int, home: Path, bind: str = HOST) -> VenueServer:
    return start_venue("LP_ALPHA", port, home, bind)


def start_bravo(*, port: int, home: Path, bind: str = HOST) -> VenueServer:
    return start_venue("LP_BRAVO", port, home, bind)


def start_charlie(*, port: int, home: Path, bind: str = HOST) -> VenueServer:
    return start_venue("LP_CHARLIE", port, home, bind)


def start_venue(code: str, port: int, home: Path, bind: str = HOST) -> VenueServer:
    """A provider that quotes around the house's own latest prices."""
    prices = MarketPrices(code)
    return VenueServer(
        PROFILES[code],
        prices.specs(),
        prices,
        port=port,
        journal=home / f"{code.lower()}.jsonl",
        seed=sum(code.encode()),
        bind=bind,
    ).start()


class MarketPrices:
    """The latest quotes by the venue's own symbols; nothing for a symbol whose price is old."""

    FRESH_US = 30_000_000

    def __init__(self, venue: str) -> None:
        from apps.core.redis import redis_client
        from apps.market.selectors import venue_symbols

        self._redis = redis_client()
        self._rows = {
            row.symbol: (symbol, row.instrument.digits, row)
            for symbol, row in venue_symbols(venue).items()
        }

    def specs(self) -> list[VenueSpec]:
        return [
            VenueSpec(
                symbol=name,
                tick=row.tick_size,
                quantity_step=row.instrument.lot_step
                * row.instrument.contract_size
                / row.contract_size,
            )
            for name, (_symbol, _digits, row) in self._rows.items()
        ]

    def __call__(self, symbol: str) -> Prices | None:
        from apps.market.quotes import LAST, unpack

        known = self._rows.get(symbol)
        packed = self._redis.hget(LAST, known[0]) if known else None
        if known is None or packed is None:
            return None
        quote = unpack(packed, known[1])
        if quote.age_us(clock.now()) > self.FRESH_US:
            return None
        return Prices(quote.bid, quote.ask)
