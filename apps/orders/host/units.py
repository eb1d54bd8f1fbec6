"""Between the engine's integers and the database's types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime | None) -> int:
    """Microseconds since 1970; 0 for never."""
    return 0 if at is None else (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime | None:
    return EPOCH + timedelta(microseconds=us) if us else None


def moment(us: int) -> datetime:
    """A time that is certainly there."""
    return EPOCH + timedelta(microseconds=us)


def stream_number(stream_id: bytes | str) -> int:
    """A Redis stream id as one number that sorts the same way."""
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    milliseconds, _, number = text.partition("-")
    return int(milliseconds) << 20 | int(number or 0)
