"""The instrument master from a data file, as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar

from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.core.models import AuditedModel
from apps.market.events import InstrumentChanged
from apps.market.models import (
    AssetClass,
    Instrument,
    MarginClass,
    TradingCalendar,
    TradingHoliday,
    Venue,
    VenueSymbol,
)
from apps.market.permissions import EDIT_INSTRUMENT
from apps.market.services.calendars import check_week, sessions_write
from apps.market.services.instruments import check_limits, terms_write
from apps.market.sessions import MIDNIGHT, WeeklySession

M = TypeVar("M", bound=AuditedModel)
DECIMALS = (
    "contract_size",
    "tick_size",
    "lot_step",
    "min_lot",
    "max_lot",
    "margin_rate",
    "reference_price",
    "swap_long_points",
    "swap_short_points",
)
ROUND_THE_CLOCK = [WeeklySession(weekday, MIDNIGHT, MIDNIGHT) for weekday in range(7)]


@dataclass
class LoadReport:
    """What a load did, by kind of row."""

    created: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str, *, created: bool) -> None:
        target = self.created if created else self.changed
        target[kind] = target.get(kind, 0) + 1


@command
def instruments_load(
    *,
    data: Mapping[str, Any],
    actor: Actor,
    reason: str,
    overwrite: bool = False,
    around_the_clock: bool = False,
) -> LoadReport:
    """Create what is missing; with `overwrite` also bring what exists back to the file.

    Everything or nothing. `around_the_clock` opens every calendar all week, for demonstrations that
    happen on a Sunday. Raises `InvalidTerms`, `InvalidSession`, `NotAllowed`.
    """
    actor.require(EDIT_INSTRUMENT)
    load = _Load(actor, reason, overwrite or around_the_clock, LoadReport())
    classes = {row["code"]: load.put(AssetClass, "code", row) for row in data["asset_class"]}
    margins = {row["code"]: load.put(MarginClass, "code", row) for row in data["margin_class"]}
    calendars = {row["code"]: _calendar(load, row, around_the_clock) for row in data["calendar"]}
    venues = {row["code"]: load.put(Venue, "code", row) for row in data["venue"]}
    for row in data["instrument"]:
        values = {key: value for key, value in row.items() if key != "venues"}
        values |= {
            "asset_class": classes[row["asset_class"]],
            "margin_class": margins[row["margin_class"]],
            "calendar": calendars[row["calendar"]],
        }
        instrument = _instrument(load, values)
        for symbol in row.get("venues", ()):
            _venue_symbol(load, venues[symbol["venue"]], instrument, symbol)
    return load.report


@dataclass
class _Load:
    actor: Actor
    reason: str
    overwrite: bool
    report: LoadReport

    def put(self, model: type[M], key: str, values: Mapping[str, Any]) -> M:
        """The row with this key, created or brought to `values`."""
        existing = model._default_manager.filter(**{key: values[key]}).first()
        if existing is None:
            row = model(**values)
            row.save_as(self.actor, self.reason)
            self.report.count(model.__name__, created=True)
            return row
        if self.overwrite and any(getattr(existing, n) != v for n, v in values.items()):
            for name, value in values.items():
                setattr(existing, name, value)
            existing.save_as(self.actor, self.reason)
            self.report.count(model.__name__, created=False)
        return existing


def _calendar(load: _Load, row: Mapping[str, Any], around_the_clock: bool) -> TradingCalendar:
    values = {key: row[key] for key in ("code", "name", "timezone")}
    is_new = not TradingCalendar.objects.filter(code=row["code"]).exists()
    calendar = load.put(TradingCalendar, "code", values)
    wanted = sorted(
        (
            WeeklySession(weekday, time.fromisoformat(opens), time.fromisoformat(closes))
            for weekday, opens, closes in row["sessions"]
        ),
        key=lambda session: (session.weekday, session.opens),
    )
    wanted = ROUND_THE_CLOCK if around_the_clock else wanted
    holidays = [] if around_the_clock else row.get("holidays", [])
    if is_new or (load.overwrite and not _is_week(calendar, wanted, len(holidays))):
        check_week(calendar.code, wanted)
        sessions_write(calendar, wanted)
        calendar.holidays.all().delete()
        TradingHoliday.objects.bulk_create(_holiday(calendar, h) for h in holidays)
        calendar.save_as(load.actor, load.reason, action="calendar.set_sessions")
    return calendar


def _is_week(calendar: TradingCalendar, wanted: list[WeeklySession], holidays: int) -> bool:
    present = [WeeklySession(s.weekday, s.opens, s.closes) for s in calendar.sessions.all()]
    return present == wanted and calendar.holidays.count() == holidays


def _holiday(calendar: TradingCalendar, row: Mapping[str, str]) -> TradingHoliday:
    closes = row.get("closes")
    return TradingHoliday(
        calendar=calendar,
        day=date.fromisoformat(row["day"]),
        name=row["name"],
        closes=time.fromisoformat(closes) if closes else None,
    )


def _instrument(load: _Load, values: dict[str, Any]) -> Instrument:
    for name in DECIMALS:
        if name in values:
            values[name] = Decimal(values[name])
    if values.get("expires_on"):
        values["expires_on"] = date.fromisoformat(values["expires_on"])
    check_limits(Instrument(**values))
    before = Instrument.objects.filter(symbol=values["symbol"]).first()
    instrument = load.put(Instrument, "symbol", values)
    terms = (instrument.contract_size, instrument.tick_size)
    if before is None or (before.contract_size, before.tick_size) != terms:
        terms_write(instrument, load.actor, load.reason)
    if before is None or before.updated_at != instrument.updated_at:
        emit(InstrumentChanged(symbol=instrument.symbol))
    return instrument


def _venue_symbol(
    load: _Load, venue: Venue, instrument: Instrument, row: Mapping[str, Any]
) -> None:
    values = {
        "instrument": instrument,
        "venue": venue,
        "symbol": row["symbol"],
        "contract_size": Decimal(row["contract_size"]),
        "tick_size": Decimal(row.get("tick_size", instrument.tick_size)),
        "currency": row.get("currency", instrument.quote),
    }
    existing = VenueSymbol.objects.filter(venue=venue, instrument=instrument).first()
    if existing is None:
        VenueSymbol(**values).save_as(load.actor, load.reason)
        load.report.count("VenueSymbol", created=True)
    elif load.overwrite and any(getattr(existing, n) != v for n, v in values.items()):
        for name, value in values.items():
            setattr(existing, name, value)
        existing.save_as(load.actor, load.reason)
        load.report.count("VenueSymbol", created=False)
