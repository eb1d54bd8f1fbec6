"""The only source of time, so that tests and generated history can hold it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_held: datetime | None = None


def now() -> datetime:
    """The present moment in UTC, or the moment at which the clock is held in this process."""
    return _held or datetime.now(UTC)  # noqa: TID251


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Hold the clock of this process at `moment`, which must carry a time zone, until the block ends."""
    global _held
    if moment.tzinfo is None:
        raise ValueError("the clock is held at a moment with a time zone")
    before, _held = _held, moment.astimezone(UTC)
    try:
        yield
    finally:
        _held = before
