"""What the engine expects of an outside venue, and what a venue may expect of the engine.

The engine never talks to a venue. It writes a child order in the same transaction as the client's order, and after
the commit appends a `ChildInstruction` to the Redis stream `engine:<shard>:out`. The gateway process reads that
stream through the consumer group `gateway`, finds the adapter by `instruction.venue`, and acknowledges the entry
once the adapter took it. Redis may lose the stream: the gateway therefore also polls the rows
(`apps.orders.selectors.child_orders_to_send`), which are the record.

Reports come back through `apps.orders.services.venue_report_submit`, in any order and as often as they like:

* every report carries an `exec_id` that is unique for its venue and stays the same when the report is repeated;
* `CANCELED`, `REJECTED` and `EXPIRED` state the venue's own `cum_steps`, so the engine waits for a fill that is late;
* silence is reported as `UNKNOWN`. The instruction is never sent again for it: the gateway asks `status()` until the
  venue answers, and `NOT_FOUND` closes the child order without a fill.

An instruction can reach the adapter twice (the gateway died between sending and acknowledging). The adapter uses
`instruction.client_order_id` as ClOrdID, so a venue that has seen it answers with the order it has.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec


class InstructionKind(StrEnum):
    NEW = "NEW"
    CANCEL = "CANCEL"


class ReportKind(StrEnum):
    """What a venue says about one child order."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    FILL = "FILL"
    REJECTED = "REJECTED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    UNKNOWN = "UNKNOWN"
    NOT_FOUND = "NOT_FOUND"


class ChildInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """One order for one venue, in the broker's own units; symbology is the adapter's work.

    `steps` counts lot steps of the instrument and `limit_points` counts points (10^-digits); 0 means at market.
    `lots` and `limit_price` say the same as decimal strings.
    """

    kind: InstructionKind
    shard: str
    child_id: int
    client_order_id: str
    venue: str
    symbol: str
    side: int  # FIX 54: 1 buy, 2 sell
    steps: int
    lots: str
    limit_points: int
    limit_price: str
    time_in_force: str  # FIX 59: 3 IOC, 4 FOK
    created_us: int


class VenueReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue did. `steps` and `price_points` describe this fill alone, `cum_steps` the venue's running total."""

    kind: ReportKind
    child_id: int
    venue: str
    exec_id: str
    steps: int = 0
    price_points: int = 0
    cum_steps: int = 0
    venue_order_id: str = ""
    code: str = ""
    text: str = ""
    venue_time_us: int = 0


class VenueTimeout(Exception):
    """The venue did not answer in time: the fate of the instruction is unknown."""


ReportSink = Callable[[VenueReport], None]


@runtime_checkable
class VenueAdapter(Protocol):
    """One venue. Methods may block; the gateway runs each adapter in its own thread."""

    code: str

    def start(self, sink: ReportSink) -> None:
        """Connect, and from now on hand every report to `sink`, from any thread."""

    def send(self, instruction: ChildInstruction) -> None:
        """Place the order. Reports arrive at the sink. Raises `VenueTimeout` when nobody answers."""

    def cancel(self, instruction: ChildInstruction) -> None:
        """Ask for a cancel. The answer is a report. Raises `VenueTimeout` when nobody answers."""

    def status(self, instruction: ChildInstruction) -> None:
        """Ask what became of an instruction; every report it had is repeated, or `NOT_FOUND`."""

    def stop(self) -> None:
        """Disconnect."""
