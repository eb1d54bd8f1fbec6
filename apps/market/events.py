"""What the market tells the apps above."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class InstrumentChanged(Event):
    """Anything that an engine keeps of an instrument: status, terms, limits, sessions, margin."""

    name: ClassVar[str] = "market.InstrumentChanged"
    aggregate: ClassVar[str] = "symbol"

    symbol: str


@dataclass(frozen=True, kw_only=True)
class CalendarChanged(Event):
    """Weekly sessions or holidays of a calendar, and so of every instrument that follows it."""

    name: ClassVar[str] = "market.CalendarChanged"
    aggregate: ClassVar[str] = "calendar"

    calendar: str


@dataclass(frozen=True, kw_only=True)
class VenueChanged(Event):
    """A venue was switched on or off."""

    name: ClassVar[str] = "market.VenueChanged"
    aggregate: ClassVar[str] = "venue"

    venue: str
