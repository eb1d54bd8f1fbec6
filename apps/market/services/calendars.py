"""Changes to trading calendars."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from itertools import pairwise
from typing import Any

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import NotVisible
from apps.core.events import emit
from apps.core.locks import lock_rows
from apps.market.errors import InvalidSession
from apps.market.events import CalendarChanged
from apps.market.models import TradingCalendar, TradingHoliday, TradingSession
from apps.market.permissions import EDIT_INSTRUMENT
from apps.market.sessions import MIDNIGHT, WeeklySession


@command
def calendar_sessions_set(
    *, calendar: str, sessions: Iterable[WeeklySession], actor: Actor, reason: str
) -> TradingCalendar:
    """Replace the week of a calendar.

    Raises `InvalidSession` when a session ends before it begins or two of a day overlap.
    """
    actor.require(EDIT_INSTRUMENT)
    row = _locked(calendar)
    wanted = sorted(set(sessions), key=lambda s: (s.weekday, s.opens))
    check_week(calendar, wanted)
    before = [str(s) for s in row.sessions.all()]
    sessions_write(row, wanted)
    row.save_as(actor, reason, action="calendar.set_sessions")
    _note(row, actor, reason, before, [str(s) for s in row.sessions.all()])
    return row


@command
def holiday_add(
    *,
    calendar: str,
    day: date,
    name: str,
    actor: Actor,
    reason: str,
    closes: time | None = None,
) -> TradingHoliday:
    """Close a day, or end it early. The same day again replaces what was there."""
    actor.require(EDIT_INSTRUMENT)
    row = _locked(calendar)
    before = [str(h) for h in row.holidays.filter(day=day)]
    holiday, _created = TradingHoliday.objects.update_or_create(
        calendar=row, day=day, defaults={"name": name, "closes": closes}
    )
    row.save_as(actor, reason, action="calendar.add_holiday")
    _note(row, actor, reason, before, [str(holiday)])
    return holiday


@command
def holiday_remove(*, calendar: str, day: date, actor: Actor, reason: str) -> TradingCalendar:
    """Let a day follow the week again. Raises `NotVisible` when it is no holiday."""
    actor.require(EDIT_INSTRUMENT)
    row = _locked(calendar)
    holiday = row.holidays.filter(day=day).first()
    if holiday is None:
        raise NotVisible
    before = [str(holiday)]
    holiday.delete()
    row.save_as(actor, reason, action="calendar.remove_holiday")
    _note(row, actor, reason, before, [])
    return row


def sessions_write(calendar: TradingCalendar, sessions: Iterable[WeeklySession]) -> None:
    """Make these the calendar's sessions."""
    calendar.sessions.all().delete()
    TradingSession.objects.bulk_create(
        TradingSession(calendar=calendar, weekday=s.weekday, opens=s.opens, closes=s.closes)
        for s in sessions
    )


def check_week(calendar: str, sessions: list[WeeklySession]) -> None:
    """Raises `InvalidSession` unless the sessions, in order, are possible and do not overlap."""
    for session in sessions:
        if session.closes != MIDNIGHT and session.closes <= session.opens:
            raise InvalidSession(
                calendar=calendar, problem=f"{session.opens} is not before its end"
            )
    for first, second in pairwise(sessions):
        overlaps = first.closes == MIDNIGHT or first.closes > second.opens
        if first.weekday == second.weekday and overlaps:
            raise InvalidSession(
                calendar=calendar, problem=f"{second.opens} lies inside another session"
            )


def _locked(code: str) -> TradingCalendar:
    rows = lock_rows(TradingCalendar.objects.filter(code=code))
    if not rows:
        raise NotVisible
    return rows[0]


def _note(
    row: TradingCalendar, actor: Actor, reason: str, before: list[Any], after: list[Any]
) -> None:
    audit(
        actor=actor,
        action="calendar.change",
        subject=row,
        before={"days": before},
        after={"days": after},
        reason=reason,
    )
    emit(CalendarChanged(calendar=row.code))
