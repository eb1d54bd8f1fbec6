"""A quote, as it travels: integers in points, microseconds, one packed array."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

STREAM = "market:quotes"
LAST = "market:last"
HEARTBEAT = "market:feed:heartbeat"
STREAM_LENGTH = 20_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, int, int, int, str]).decode


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and offer of an instrument. Prices are integers in points (10^-digits)."""

    symbol: str
    bid_points: int
    ask_points: int
    ts_us: int
    source: str
    digits: int

    @property
    def bid(self) -> Decimal:
        return Decimal(self.bid_points).scaleb(-self.digits)

    @property
    def ask(self) -> Decimal:
        return Decimal(self.ask_points).scaleb(-self.digits)

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def spread_points(self) -> int:
        return self.ask_points - self.bid_points

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.ts_us / 1_000_000, tz=UTC)

    def age_us(self, now: datetime) -> int:
        return to_us(now) - self.ts_us


def pack(quote: Quote) -> bytes:
    return _encode((quote.symbol, quote.bid_points, quote.ask_points, quote.ts_us, quote.source))


def unpack(packed: bytes, digits: int) -> Quote:
    symbol, bid, ask, ts_us, source = _decode(packed)
    return Quote(symbol, bid, ask, ts_us, source, digits)


def unpack_raw(packed: bytes) -> tuple[str, int, int, int, str]:
    """The five values as they are, for readers that keep their own digits."""
    return _decode(packed)


def to_us(at: datetime) -> int:
    """Exact microseconds since the epoch."""
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def to_points(price: Decimal, digits: int) -> int:
    """The price in points, rounded half even when the source carries more digits."""
    return int(price.scaleb(digits).to_integral_value())
