"""A liquidity provider on a real port and the adapter that speaks to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from apps.orders.adapters.protocol import ChildInstruction, InstructionKind, VenueReport
from apps.orders.adapters.venues.provider import PROFILES, Prices, Profile, VenueSpec
from apps.orders.adapters.venues.simulator import VenueServer
from apps.orders.adapters.venues.symbology import SymbolTerms
from apps.orders.adapters.venues.tcp import TcpVenue, Timing
from apps.orders.adapters.venues.wire import Control, line

TERMS = {
    "EURUSD": SymbolTerms("EURUSD", "EUR/USD", Decimal(100_000), Decimal(1), Decimal("0.01"), 5),
    "XAUUSD": SymbolTerms("XAUUSD", "GOLD.b", Decimal(100), Decimal(100), Decimal("0.01"), 2),
}
SPECS = [
    VenueSpec("EUR/USD", Decimal("0.00001"), Decimal(1000)),
    VenueSpec("GOLD.b", Decimal("0.01"), Decimal("0.01")),
]
MARKET = {
    "EUR/USD": Prices(Decimal("1.08500"), Decimal("1.08508")),
    "GOLD.b": Prices(Decimal("2350.00"), Decimal("2350.22")),
}
FAST = Profile("LP_ALPHA", 2, 0, 0, 0, 0, 0.0)
PATIENCE = Timing(answer=0.25, ask_again=0.2, connect=1, reconnect_least=0.05, reconnect_most=0.1)


class Desk:
    """What the engine would see, and hands to press the buttons."""

    def __init__(self, server: VenueServer, journal: Path) -> None:
        self.server = server
        self.journal = journal
        self.reports: list[VenueReport] = []
        self.venue = self.connect()

    def connect(self) -> TcpVenue:
        self.venue = TcpVenue("LP_ALPHA", ("127.0.0.1", self.server.port), TERMS, PATIENCE)
        self.venue.start(self.reports.append)
        assert self.venue.wait_connected(5)
        return self.venue

    def faults(self, **faults: object) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as control:
            control.sendall(line(Control(faults=faults)))
            assert b"error" not in control.makefile("rb").readline()

    def kinds(self) -> list[str]:
        return [report.kind.value for report in self.reports]

    def distinct(self) -> dict[str, VenueReport]:
        """Reports as the engine books them: each exec id once."""
        found: dict[str, VenueReport] = {}
        for report in self.reports:
            found.setdefault(report.exec_id, report)
        return found

    def filled_steps(self) -> int:
        return sum(r.steps for r in self.distinct().values() if r.kind == "FILL")

    def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"did not happen; reports: {self.reports}"
            time.sleep(0.01)

    def until_done(self) -> None:
        self.until(lambda: self.venue.open_questions == 0 and bool(self.reports))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    journal = tmp_path / "alpha.jsonl"
    server = VenueServer(FAST, SPECS, MARKET.get, port=0, journal=journal).start()
    desk = Desk(server, journal)
    yield desk
    desk.venue.stop()
    desk.server.shutdown()


def instruction(number: int = 1, **changes: object) -> ChildInstruction:
    values: dict[str, object] = {
        "kind": InstructionKind.NEW,
        "shard": "main",
        "child_id": number,
        "client_order_id": f"C{number}",
        "venue": "LP_ALPHA",
        "symbol": "EURUSD",
        "side": 1,
        "steps": 100,
        "lots": "1.00",
        "limit_points": 0,
        "limit_price": "0",
        "time_in_force": "3",
        "created_us": round(time.time() * 1_000_000),
    }
    return ChildInstruction(**{**values, **changes})  # type: ignore[arg-type]


__all__ = ["PROFILES", "Desk", "instruction"]
