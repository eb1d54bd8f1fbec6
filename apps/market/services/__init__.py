"""Writes of the market."""

from apps.market.services.archive import candles_store, history_generate, quote_record
from apps.market.services.calendars import calendar_sessions_set, holiday_add, holiday_remove
from apps.market.services.instruments import (
    instrument_close_only,
    instrument_halt,
    instrument_resume,
    instrument_terms_change,
    instrument_update,
)
from apps.market.services.loading import LoadReport, instruments_load
from apps.market.services.venues import venue_disable, venue_enable

__all__ = [
    "LoadReport",
    "calendar_sessions_set",
    "candles_store",
    "history_generate",
    "holiday_add",
    "holiday_remove",
    "instrument_close_only",
    "instrument_halt",
    "instrument_resume",
    "instrument_terms_change",
    "instrument_update",
    "instruments_load",
    "quote_record",
    "venue_disable",
    "venue_enable",
]
