"""Trading hours: weeks, breaks, holidays, and the two weeks of the year in which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.market.sessions import (
    ALWAYS_OPEN,
    MIDNIGHT,
    Holiday,
    SessionCalendar,
    WeeklySession,
)

NEW_YORK = ZoneInfo("America/New_York")


def forex() -> SessionCalendar:
    """Sunday 17:05 to Friday 16:55 New York, with a break at each rollover."""
    week = [WeeklySession(6, time(17, 5), MIDNIGHT), WeeklySession(4, MIDNIGHT, time(16, 55))]
    for weekday in range(4):
        week.append(WeeklySession(weekday, MIDNIGHT, time(16, 59)))
        week.append(WeeklySession(weekday, time(17, 5), MIDNIGHT))
    holidays = {
        date(2026, 12, 25): Holiday(date(2026, 12, 25)),
        date(2026, 12, 24): Holiday(date(2026, 12, 24), closes=time(13, 0)),
    }
    return SessionCalendar(NEW_YORK, tuple(week), holidays)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-18 12:00:00", True),
        ("2026-11-20 21:54:59", True),
        ("2026-11-20 21:55:00", False),
        ("2026-11-21 12:00:00", False),
        ("2026-11-22 22:04:59", False),
        ("2026-11-22 22:05:00", True),
        ("2026-11-18 21:59:00", False),
        ("2026-11-18 22:05:00", True),
        ("2026-12-24 17:59:59", True),
        ("2026-12-24 18:00:00", False),
        ("2026-12-25 12:00:00", False),
    ],
)
def test_the_week_has_a_weekend_a_daily_break_and_holidays(moment: str, is_open: bool):
    assert forex().is_open(utc(moment)) is is_open


def test_the_opening_moves_in_utc_when_new_york_changes_its_clocks():
    calendar = forex()

    summer = calendar.next_open(utc("2026-10-24 12:00:00"))
    winter = calendar.next_open(utc("2026-10-31 23:00:00"))
    spring = calendar.next_open(utc("2027-03-13 12:00:00"))

    assert summer == utc("2026-10-25 21:05:00")
    assert winter == utc("2026-11-01 22:05:00")
    assert spring == utc("2027-03-14 21:05:00")


def test_midnight_does_not_end_a_session_that_goes_on_the_next_day():
    calendar = forex()

    assert calendar.next_close(utc("2026-11-17 23:30:00")) == utc("2026-11-18 21:59:00")
    assert calendar.session_start(utc("2026-11-18 12:00:00")) == utc("2026-11-17 22:05:00")


def test_next_open_is_now_while_open_and_the_next_session_otherwise():
    calendar = forex()
    now = utc("2026-11-18 12:00:00")

    assert calendar.next_open(now) == now
    assert calendar.next_open(utc("2026-11-20 23:00:00")) == utc("2026-11-22 22:05:00")


def test_a_market_that_never_closes_says_so():
    now = utc("2026-11-18 12:00:00")

    assert ALWAYS_OPEN.is_open(now)
    assert ALWAYS_OPEN.next_close(now) is None
    assert ALWAYS_OPEN.session_start(now) is None


def test_a_calendar_without_sessions_never_opens():
    calendar = SessionCalendar(NEW_YORK, ())

    assert calendar.next_open(utc("2026-11-18 12:00:00")) is None
    assert calendar.next_close(utc("2026-11-18 12:00:00")) is None


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_open_closed_and_next_change_never_disagree(moment: datetime):
    calendar = forex()
    opens, closes = calendar.next_open(moment), calendar.next_close(moment)

    assert opens is not None
    assert closes is not None
    assert calendar.is_open(opens)
    assert not calendar.is_open(closes)
    assert calendar.is_open(closes - timedelta(microseconds=1))
    assert calendar.is_open(moment) == (opens == moment)


@given(MOMENTS)
def test_a_session_holds_the_moment_it_was_asked_for(moment: datetime):
    calendar = forex()
    start = calendar.session_start(moment)

    assert (start is not None) == calendar.is_open(moment)
    if start is not None:
        assert start <= moment
        assert not calendar.is_open(start - timedelta(microseconds=1))
