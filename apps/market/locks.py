"""Row locks of the market."""

from __future__ import annotations

from uuid import UUID

from apps.core.locks import lock_row
from apps.market.models import Instrument


def instrument_locked(instrument_id: UUID) -> Instrument:
    """Raises `NotVisible` when there is no such instrument."""
    instrument: Instrument = lock_row(Instrument.objects.all(), instrument_id)
    return instrument
