"""Reads of the market: instruments, sessions, quotes, candles, conversion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from apps.core import clock
from apps.core.money import Money
from apps.core.redis import redis_client
from apps.market import bars
from apps.market.conversion import PairRate, RateGraph
from apps.market.enums import BarInterval, ConversionSide, InstrumentStatus, VenueStatus
from apps.market.errors import NoConversion, NoQuote, UnknownInstrument, UnknownVenueSymbol
from apps.market.models import (
    Candle,
    Instrument,
    InstrumentTerms,
    TradingCalendar,
    Venue,
    VenueSymbol,
)
from apps.market.quotes import HEARTBEAT, LAST, Quote, unpack, unpack_raw
from apps.market.sessions import Holiday, SessionCalendar, WeeklySession

CONVERTING_CLASSES = ("FX", "METAL", "CRYPTO")
FRESH_FEED_SECONDS = 10


def instrument_list() -> QuerySet[Instrument]:
    """Every instrument with what its page shows."""
    return Instrument.objects.select_related("asset_class", "margin_class", "calendar")


def instrument_get(symbol: str) -> Instrument:
    """Raises `UnknownInstrument`."""
    instrument = instrument_list().filter(symbol=symbol).first()
    if instrument is None:
        raise UnknownInstrument(symbol=symbol)
    return instrument


def instruments_tradable() -> list[Instrument]:
    """What may be opened: neither halted, closing only, nor past its last trading day."""
    today = clock.now().date()
    tradable = instrument_list().filter(status=InstrumentStatus.TRADABLE)
    return [i for i in tradable if i.expires_on is None or i.expires_on >= today]


def terms_at(instrument: Instrument, at: datetime) -> InstrumentTerms:
    """The contract terms that were in force; the earliest ones for a moment before the first."""
    terms = instrument.terms.order_by("-valid_from")
    return terms.filter(valid_from__lte=at).first() or terms.last() or _terms_now(instrument)


def _terms_now(instrument: Instrument) -> InstrumentTerms:
    return InstrumentTerms(
        instrument=instrument,
        valid_from=instrument.created_at,
        contract_size=instrument.contract_size,
        tick_size=instrument.tick_size,
        digits=instrument.digits,
    )


def calendar_of(calendar: TradingCalendar) -> SessionCalendar:
    """The calendar as a pure value."""
    return SessionCalendar(
        ZoneInfo(calendar.timezone),
        tuple(WeeklySession(s.weekday, s.opens, s.closes) for s in calendar.sessions.all()),
        {h.day: Holiday(h.day, h.closes) for h in calendar.holidays.all()},
    )


def session_calendars() -> dict[str, SessionCalendar]:
    """All calendars by code, in three queries."""
    calendars = TradingCalendar.objects.prefetch_related("sessions", "holidays")
    return {calendar.code: calendar_of(calendar) for calendar in calendars}


@lru_cache(maxsize=64)
def _calendar_cached(calendar_id: str, changed_at: datetime) -> SessionCalendar:
    calendar = TradingCalendar.objects.prefetch_related("sessions", "holidays").get(pk=calendar_id)
    return calendar_of(calendar)


def session_calendar(instrument: Instrument) -> SessionCalendar:
    """The instrument's calendar, kept in this process until the calendar changes."""
    return _calendar_cached(str(instrument.calendar_id), instrument.calendar.updated_at)


def is_open(instrument: Instrument, at: datetime) -> bool:
    """Whether the instrument's session runs at that instant and its last trading day has not passed."""
    if instrument.expires_on is not None and at.date() > instrument.expires_on:
        return False
    return session_calendar(instrument).is_open(at)


def venues_enabled() -> list[Venue]:
    return list(Venue.objects.filter(status=VenueStatus.ENABLED))


def venue_symbol(venue: str, symbol: str) -> VenueSymbol:
    """The venue's own name and units of an instrument. Raises `UnknownVenueSymbol`."""
    found = (
        VenueSymbol.objects.select_related("venue", "instrument")
        .filter(venue__code=venue, instrument__symbol=symbol)
        .first()
    )
    if found is None:
        raise UnknownVenueSymbol(venue=venue, symbol=symbol)
    return found


def venue_symbols(venue: str) -> dict[str, VenueSymbol]:
    """A venue's symbology by canonical symbol."""
    rows = VenueSymbol.objects.select_related("venue", "instrument").filter(venue__code=venue)
    return {row.instrument.symbol: row for row in rows}


def symbol_digits() -> dict[str, int]:
    """Digits of every instrument by symbol."""
    return dict(Instrument.objects.values_list("symbol", "digits"))


def last_quote(symbol: str) -> Quote | None:
    """The latest quote, or None when there has never been one."""
    packed = redis_client().hget(LAST, symbol)
    if packed is None:
        return None
    digits = Instrument.objects.filter(symbol=symbol).values_list("digits", flat=True).first()
    return None if digits is None else unpack(packed, digits)


def quote_get(symbol: str) -> Quote:
    """The latest quote. Raises `NoQuote`."""
    quote = last_quote(symbol)
    if quote is None:
        raise NoQuote(symbol=symbol)
    return quote


def last_quotes(symbols: Iterable[str] | None = None) -> dict[str, Quote]:
    """The latest quote of every instrument that has one, or of those asked for."""
    wanted = None if symbols is None else set(symbols)
    digits = symbol_digits()
    found: dict[str, Quote] = {}
    for packed in redis_client().hgetall(LAST).values():
        symbol = unpack_raw(packed)[0]
        known = digits.get(symbol)
        if known is not None and (wanted is None or symbol in wanted):
            found[symbol] = unpack(packed, known)
    return found


def feed_is_alive() -> bool:
    """Whether a feed published or at least beat within the last seconds."""
    beat = redis_client().get(HEARTBEAT)
    age = clock.now().timestamp() - float(beat) if beat is not None else None
    return age is not None and age <= FRESH_FEED_SECONDS


def rate_graph(quotes: dict[str, Quote] | None = None) -> RateGraph:
    """The currency graph over the latest quotes; a missing price leaves its edge out."""
    quotes = last_quotes() if quotes is None else quotes
    pairs = (
        Instrument.objects.filter(asset_class__code__in=CONVERTING_CLASSES)
        .order_by("symbol")
        .values_list("symbol", "base", "quote")
    )
    return RateGraph(
        PairRate(symbol, base, quote, quotes[symbol].bid, quotes[symbol].ask)
        for symbol, base, quote in pairs
        if symbol in quotes
    )


def conversion_rate(source: str, target: str, side: ConversionSide = ConversionSide.MID) -> Decimal:
    """Units of `target` for one of `source`. Raises `NoConversion`."""
    if source == target:
        return Decimal(1)
    rate = rate_graph().rate(source, target, side)
    if rate is None:
        raise NoConversion(source=source, target=target)
    return rate


def convert(amount: Money, to: str, side: ConversionSide | None = None) -> Money:
    """`amount` in another currency at the last quotes, rounded half even to its minor unit.

    Without a side, a positive amount is received and a negative one is owed. Raises `NoConversion`.
    """
    if side is None:
        side = ConversionSide.RECEIVE if amount.amount >= 0 else ConversionSide.PAY
    return Money.rounded(amount.amount * conversion_rate(amount.currency, to, side), to)


def candles(symbol: str, interval: str, limit: int = 300) -> list[bars.Bar]:
    """The latest bars of an interval, oldest first, merged from the archive of minutes or hours."""
    stored = BarInterval.M1 if bars.INTERVAL_MINUTES[interval] < 60 else BarInterval.H1
    per_bar = bars.INTERVAL_MINUTES[interval] // bars.INTERVAL_MINUTES[stored]
    rows = (
        Candle.objects.filter(symbol=symbol, interval=stored)
        .order_by("-starts_at")
        .values_list(
            "starts_at", "open", "high", "low", "close", "spread_min", "spread_max", "ticks"
        )[: (limit + 1) * per_bar]
    )
    stored_bars = [bars.Bar(_epoch_us(row[0]), *row[1:]) for row in reversed(rows)]
    return list(bars.aggregate(stored_bars, interval))[-limit:]


def _epoch_us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
