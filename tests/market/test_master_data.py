"""The instrument master: loading, changing, halting, and what is refused."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django_fsm import TransitionNotAllowed

from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotAllowed, NotVisible
from apps.core.models import OutboxEvent
from apps.market.errors import InvalidSession, InvalidTerms, UnknownInstrument, UnknownVenueSymbol
from apps.market.feeding import master_data
from apps.market.models import Instrument, InstrumentTerms, TradingCalendar, Venue, VenueSymbol
from apps.market.selectors import (
    instrument_get,
    instruments_tradable,
    is_open,
    session_calendars,
    terms_at,
    venue_symbol,
    venue_symbols,
    venues_enabled,
)
from apps.market.services import (
    calendar_sessions_set,
    holiday_add,
    holiday_remove,
    instrument_close_only,
    instrument_halt,
    instrument_resume,
    instrument_terms_change,
    instrument_update,
    instruments_load,
    venue_disable,
    venue_enable,
)
from apps.market.sessions import WeeklySession

NOBODY = Actor(ActorKind.STAFF, "user:9", "nobody")


def events() -> list[str]:
    return list(OutboxEvent.objects.order_by("pk").values_list("name", flat=True))


def test_the_data_file_holds_every_kind_of_market_with_a_name_at_each_venue(master):
    symbols = set(Instrument.objects.values_list("symbol", flat=True))

    assert len(symbols) == 24
    assert {"EURUSD", "XAUUSD", "US500", "AAPL", "BTCUSD", "6EH7"} <= symbols
    assert VenueSymbol.objects.count() == 24 * 3
    assert {v.code for v in venues_enabled()} == {"LP_ALPHA", "LP_BRAVO", "LP_CHARLIE"}
    assert {s: v.symbol for s, v in venue_symbols("LP_ALPHA").items()}["EURUSD"] == "EUR/USD"
    assert venue_symbol("LP_ALPHA", "EURUSD").contract_size == 1
    assert venue_symbol("LP_BRAVO", "EURUSD").contract_size == 100_000
    assert InstrumentTerms.objects.count() == 24


def test_loading_again_changes_nothing_and_keeps_what_staff_changed(master, actor):
    gold = instrument_get("XAUUSD")
    instrument_update(
        instrument_id=gold.pk, max_lot=Decimal(20), actor=actor, reason="smaller book"
    )
    before = events()

    report = instruments_load(data=master_data(), actor=actor, reason="again")

    assert (report.created, report.changed) == ({}, {})
    assert instrument_get("XAUUSD").max_lot == 20
    assert events() == before


def test_overwriting_brings_staff_changes_back_to_the_file(master, actor):
    gold = instrument_get("XAUUSD")
    instrument_update(
        instrument_id=gold.pk, max_lot=Decimal(20), actor=actor, reason="smaller book"
    )

    report = instruments_load(data=master_data(), actor=actor, reason="back", overwrite=True)

    assert report.changed == {"Instrument": 1}
    assert instrument_get("XAUUSD").max_lot == 50


def test_a_file_with_one_bad_instrument_loads_nothing(transactional_db, actor):
    data = deepcopy(dict(master_data()))
    data["instrument"][-1]["tick_size"] = "0.000001"

    with pytest.raises(InvalidTerms) as refused:
        instruments_load(data=data, actor=actor, reason="bad")

    assert refused.value.values["symbol"] == "6EH7"
    assert Instrument.objects.count() == 0
    assert TradingCalendar.objects.count() == 0
    assert events() == []


def test_the_command_loads_and_says_what_it_did(transactional_db, capsys):
    call_command("load_instruments")
    first = capsys.readouterr().out
    call_command("load_instruments")
    second = capsys.readouterr().out

    assert "24 Instrument" in first
    assert second == "created: nothing\nchanged: nothing\n"


def test_a_demonstration_on_a_sunday_can_open_every_market(transactional_db):
    call_command("load_instruments", around_the_clock=True)

    sunday = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert all(is_open(i, sunday) for i in Instrument.objects.select_related("calendar"))


def test_instruments_follow_their_own_hours(master):
    def opened(at: str) -> set[str]:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        watched = ("EURUSD", "XAUUSD", "US500", "AAPL", "BTCUSD", "DE40")
        return {s for s in watched if is_open(instrument_get(s), moment)}

    assert opened("2026-11-18 15:00") == {"EURUSD", "XAUUSD", "US500", "AAPL", "BTCUSD", "DE40"}
    assert opened("2026-11-18 22:30") == {"EURUSD", "BTCUSD"}
    assert opened("2026-11-21 12:00") == {"BTCUSD"}
    assert opened("2026-11-26 15:00") == {"EURUSD", "XAUUSD", "US500", "BTCUSD", "DE40"}
    assert opened("2026-11-27 18:30") == {"EURUSD", "XAUUSD", "US500", "BTCUSD", "DE40"}


def test_a_future_is_closed_after_its_last_trading_day(master):
    future = instrument_get("6EH7")

    assert is_open(future, datetime(2027, 3, 15, 15, 0, tzinfo=UTC))
    assert not is_open(future, datetime(2027, 3, 16, 15, 0, tzinfo=UTC))
    with clock.frozen(datetime(2027, 3, 16, 15, 0, tzinfo=UTC)):
        assert "6EH7" not in {i.symbol for i in instruments_tradable()}


def test_halting_closing_and_resuming_tell_the_engine_and_keep_the_reason(master, actor):
    gold = instrument_get("XAUUSD")
    before = len(events())

    instrument_halt(instrument_id=gold.pk, actor=actor, reason="price source in doubt")
    halted = instrument_get("XAUUSD")
    instrument_halt(instrument_id=gold.pk, actor=actor, reason="again")
    instrument_close_only(instrument_id=gold.pk, actor=actor, reason="one-sided")
    closing = instrument_get("XAUUSD")
    instrument_resume(instrument_id=gold.pk, actor=actor, reason="source is back")

    assert (halted.status, halted.status_reason) == ("HALTED", "price source in doubt")
    assert closing.status == "CLOSE_ONLY"
    assert instrument_get("XAUUSD").status == "TRADABLE"
    assert events()[before:] == ["market.InstrumentChanged"] * 3
    assert [h.history_change_reason for h in gold.history.order_by("history_date")][-3:] == [
        "price source in doubt",
        "one-sided",
        "source is back",
    ]


def test_a_status_cannot_be_assigned_or_moved_the_wrong_way(master, actor):
    gold = instrument_get("XAUUSD")

    with pytest.raises(AttributeError):
        gold.status = "HALTED"
    with pytest.raises(TransitionNotAllowed):
        gold.resume(by=actor, reason="it already is")


@pytest.mark.parametrize("service", [instrument_halt, instrument_close_only, instrument_resume])
def test_halting_needs_the_permission(master, service):
    gold = instrument_get("XAUUSD")
    before = events()

    with pytest.raises(NotAllowed):
        service(instrument_id=gold.pk, actor=NOBODY, reason="because")

    assert instrument_get("XAUUSD").status == "TRADABLE"
    assert events() == before


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"min_lot": Decimal("0.015")}, "multiples of the step"),
        ({"max_lot": Decimal("0.001")}, "not smaller than the smallest"),
        ({"margin_rate": Decimal(0)}, "above zero"),
        ({"status": "HALTED"}, "status cannot be changed here"),
        ({"contract_size": Decimal(1)}, "contract_size cannot be changed here"),
    ],
)
def test_limits_that_do_not_fit_together_are_refused(master, actor, changes, problem):
    gold = instrument_get("XAUUSD")
    before = events()

    with pytest.raises(InvalidTerms, match=problem):
        instrument_update(instrument_id=gold.pk, actor=actor, reason="x", **changes)

    after = instrument_get("XAUUSD")
    assert (after.min_lot, after.max_lot, after.margin_rate) == (gold.min_lot, gold.max_lot, 1)
    assert events() == before


def test_an_old_deal_is_read_with_the_contract_size_of_its_day(master, actor):
    gold = instrument_get("XAUUSD")
    later = clock.now() + timedelta(days=10)

    with clock.frozen(later):
        instrument_terms_change(
            instrument_id=gold.pk,
            contract_size=Decimal(10),
            tick_size=Decimal("0.1"),
            actor=actor,
            reason="mini gold",
        )

    assert terms_at(gold, later - timedelta(seconds=1)).contract_size == 100
    assert terms_at(gold, later).contract_size == 10
    assert terms_at(gold, later - timedelta(days=4000)).contract_size == 100
    assert instrument_get("XAUUSD").contract_size == 10


def test_terms_that_were_in_force_are_never_rewritten(master):
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("UPDATE market_instrumentterms SET contract_size = 1")
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM market_instrumentterms")
    assert InstrumentTerms.objects.count() == 24


def test_a_week_with_overlapping_sessions_is_refused(master, actor):
    before = session_calendars()["US_EQUITY"]
    week = [WeeklySession(0, time(9), time(16)), WeeklySession(0, time(15), time(20))]

    with pytest.raises(InvalidSession):
        calendar_sessions_set(calendar="US_EQUITY", sessions=week, actor=actor, reason="x")
    with pytest.raises(InvalidSession):
        calendar_sessions_set(
            calendar="US_EQUITY",
            sessions=[WeeklySession(0, time(16), time(9))],
            actor=actor,
            reason="x",
        )

    assert session_calendars()["US_EQUITY"] == before


def test_a_new_week_and_a_holiday_are_in_force_at_once(master, actor):
    apple, noon = instrument_get("AAPL"), datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
    assert is_open(apple, noon)

    holiday_add(
        calendar="US_EQUITY", day=date(2026, 11, 18), name="Mourning", actor=actor, reason="x"
    )
    assert not is_open(instrument_get("AAPL"), noon)
    holiday_remove(calendar="US_EQUITY", day=date(2026, 11, 18), actor=actor, reason="cancelled")
    assert is_open(instrument_get("AAPL"), noon)
    calendar_sessions_set(
        calendar="US_EQUITY",
        sessions=[WeeklySession(0, time(9, 30), time(16))],
        actor=actor,
        reason="Mondays only",
    )
    assert not is_open(instrument_get("AAPL"), noon)
    assert events()[-3:] == ["market.CalendarChanged"] * 3
    with pytest.raises(NotVisible):
        holiday_remove(calendar="US_EQUITY", day=date(2026, 11, 18), actor=actor, reason="twice")


def test_a_venue_that_is_off_gets_no_orders(master, actor):
    alpha = Venue.objects.get(code="LP_ALPHA")

    venue_disable(venue_id=alpha.pk, actor=actor, reason="outage")
    assert {v.code for v in venues_enabled()} == {"LP_BRAVO", "LP_CHARLIE"}
    venue_enable(venue_id=alpha.pk, actor=actor, reason="back")
    assert len(venues_enabled()) == 3
    with pytest.raises(NotAllowed):
        venue_disable(venue_id=alpha.pk, actor=NOBODY, reason="because")
    assert len(venues_enabled()) == 3


def test_unknown_names_are_refused_with_their_code(master):
    with pytest.raises(UnknownInstrument):
        instrument_get("EURUSD.m")
    with pytest.raises(UnknownVenueSymbol):
        venue_symbol("LP_DELTA", "EURUSD")
