"""When an instrument trades: weekly sessions and holidays of one calendar, free of I/O.

Sessions are written in the calendar's own time zone, the way an exchange publishes them, so a change of
clocks moves the session in UTC and nowhere else. Everything here answers from the same list of UTC
intervals, so "is it open", "when does it open" and "when does it close" can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MIDNIGHT = time(0, 0)
LOOK_AHEAD_DAYS = 21


@dataclass(frozen=True)
class WeeklySession:
    """One stretch of trading on one weekday (0 = Monday). Closing at 00:00 means the end of that day."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True)
class Holiday:
    """A day that does not follow the week. `closes` is the early close; None means closed all day."""

    day: date
    closes: time | None = None


@dataclass(frozen=True)
class SessionCalendar:
    """The trading hours of a group of instruments."""

    timezone: ZoneInfo
    sessions: tuple[WeeklySession, ...]
    holidays: Mapping[date, Holiday] = field(default_factory=dict)
    _days: dict[date, tuple[tuple[datetime, datetime], ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def is_open(self, at: datetime) -> bool:
        """Whether trading runs at that instant; the opening instant counts, the closing one does not."""
        local = at.astimezone(self.timezone).date()
        return any(opens <= at < closes for opens, closes in self.intervals_of(local))

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself while open, otherwise the next opening; None when nothing opens within three weeks."""
        for opens, closes in self._intervals_from(at):
            if closes > at:
                return max(opens, at)
        return None

    def next_close(self, at: datetime) -> datetime | None:
        """When the stretch that holds `at` (or the next one) ends, joining stretches that touch.

        None when it does not end within three weeks, as for a market that never closes.
        """
        end: datetime | None = None
        for opens, closes in self._intervals_from(at):
            if closes <= at:
                continue
            if end is not None and opens > end:
                return end
            end = closes
        horizon = at + timedelta(days=LOOK_AHEAD_DAYS - 1)
        return None if end is not None and end >= horizon else end

    def session_start(self, at: datetime) -> datetime | None:
        """The opening of the joined stretch that holds `at`, or None when closed or open all week."""
        if not self.is_open(at):
            return None
        day = at.astimezone(self.timezone).date()
        start: datetime | None = None
        for back in range(LOOK_AHEAD_DAYS):
            for opens, closes in reversed(self.intervals_of(day - timedelta(days=back))):
                if start is None:
                    if opens <= at < closes:
                        start = opens
                elif closes == start:
                    start = opens
                elif closes < start:
                    return start
        return None

    def intervals_of(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The UTC stretches of one local day, in order."""
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = tuple(self._compute(day))
        return known

    def _compute(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        holiday = self.holidays.get(day)
        if holiday is not None and holiday.closes is None:
            return
        limit = self._utc(day, holiday.closes) if holiday and holiday.closes else None
        week = [s for s in self.sessions if s.weekday == day.weekday()]
        for session in sorted(week, key=lambda s: s.opens):
            opens = self._utc(day, session.opens)
            closes = self._utc_close(day, session.closes)
            if limit is not None:
                closes = min(closes, limit)
            if closes > opens:
                yield opens, closes

    def _intervals_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = at.astimezone(self.timezone).date()
        for offset in range(LOOK_AHEAD_DAYS):
            yield from self.intervals_of(first + timedelta(days=offset))

    def _utc(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.timezone).astimezone(UTC)

    def _utc_close(self, day: date, at: time) -> datetime:
        return self._utc(day + timedelta(days=1), at) if at == MIDNIGHT else self._utc(day, at)


ALWAYS_OPEN = SessionCalendar(
    ZoneInfo("UTC"), tuple(WeeklySession(weekday, MIDNIGHT, MIDNIGHT) for weekday in range(7))
)
