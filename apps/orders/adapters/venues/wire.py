"""The words between a gateway and a liquidity provider: one JSON object a line, over TCP.

To the provider: `logon`, `new`, `cancel`, `status`, `ping`, `control`. From it: `logon`, `report`, `pong`,
`control`. Quantities and prices are decimal strings in the venue's own units.
"""

from __future__ import annotations

from typing import Any

import msgspec

LONGEST_LINE = 64 * 1024


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, tag="new", tag_field="type"):
    """Place an order. The same `cl_ord_id` again is a question about the order that it named."""

    cl_ord_id: str
    symbol: str
    side: int
    quantity: str
    price: str = ""
    tif: str = "3"


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, tag="cancel", tag_field="type"):
    cl_ord_id: str


class StatusRequest(msgspec.Struct, frozen=True, kw_only=True, tag="status", tag_field="type"):
    """What became of an order? Everything that was reported is reported again."""

    cl_ord_id: str


class Logon(msgspec.Struct, frozen=True, kw_only=True, tag="logon", tag_field="type"):
    sender: str


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag="ping", tag_field="type"):
    sent_us: int = 0


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong", tag_field="type"):
    sent_us: int = 0


class Control(msgspec.Struct, frozen=True, kw_only=True, tag="control", tag_field="type"):
    """Set faults by name; an empty one changes nothing. Answered with all faults as they are now."""

    faults: dict[str, Any] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report", tag_field="type"):
    """What happened to an order. `last_*` is this fill alone, `cum_qty` the total so far."""

    kind: str
    cl_ord_id: str
    exec_id: str
    order_id: str = ""
    last_qty: str = "0"
    last_px: str = "0"
    cum_qty: str = "0"
    code: str = ""
    text: str = ""
    time_us: int = 0


Request = NewOrder | CancelOrder | StatusRequest | Logon | Ping | Control
Answer = Report | Logon | Pong | Control

_encode = msgspec.json.Encoder().encode
_request = msgspec.json.Decoder(Request).decode
_answer = msgspec.json.Decoder(Answer).decode


def line(message: Request | Answer) -> bytes:
    return _encode(message) + b"\n"


def read_request(text: bytes) -> Request:
    """Raises `msgspec.DecodeError` for a line that is not a request."""
    return _request(text)


def read_answer(text: bytes) -> Answer:
    """Raises `msgspec.DecodeError` for a line that is not an answer."""
    return _answer(text)
