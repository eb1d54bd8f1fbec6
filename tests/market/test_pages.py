"""The market on screens and over REST, for those who may."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse

from apps.core import clock
from apps.market.bars import Bar
from apps.market.models import Instrument, TradingCalendar, Venue
from apps.market.quotes import to_us
from apps.market.services import candles_store

pytestmark = pytest.mark.usefixtures("master")

VIEWS = ("view_instrument", "view_tradingcalendar", "view_venue", "view_venuesymbol")
NOON = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


def browser(*codes: str, staff: bool = True, email: str = "ops@example.com") -> Browser:
    user = get_user_model().objects.create(email=email, is_staff=staff, scope_level="ALL")
    granted = Permission.objects.filter(content_type__app_label="market", codename__in=codes)
    user.user_permissions.set(granted)
    page = Browser()
    page.force_login(user)
    return page


def test_staff_see_instruments_hours_and_venues_and_others_do_not(quote):
    quote("EURUSD", "1.08500", "1.08508")
    operations, support = browser(*VIEWS), browser(email="support@example.com")
    euro = Instrument.objects.get(symbol="EURUSD")
    calendar = TradingCalendar.objects.get(code="FX")
    pages = [
        reverse("admin:market_instrument_changelist"),
        reverse("admin:market_instrument_change", args=[euro.pk]),
        reverse("admin:market_tradingcalendar_changelist"),
        reverse("admin:market_tradingcalendar_change", args=[calendar.pk]),
        reverse("admin:market_venue_changelist"),
        reverse("admin:market_venuesymbol_changelist"),
    ]

    assert [operations.get(page).status_code for page in pages] == [200] * 6
    assert [support.get(page).status_code for page in pages] == [403] * 6


def test_an_instrument_is_halted_with_a_reason_from_its_page():
    desk = browser(*VIEWS, "halt_instrument")
    gold = Instrument.objects.get(symbol="XAUUSD")
    url = reverse("admin:market_instrument_transition", args=[gold.pk, "halt"])

    assert desk.get(url).status_code == 200
    assert Instrument.objects.get(pk=gold.pk).status == "TRADABLE"
    assert desk.post(url, {"reason": ""}).status_code == 422
    assert Instrument.objects.get(pk=gold.pk).status == "TRADABLE"
    assert desk.post(url, {"reason": "price in doubt"}).status_code == 302
    assert Instrument.objects.get(pk=gold.pk).status_reason == "price in doubt"


def test_halting_from_the_page_needs_the_permission():
    gold = Instrument.objects.get(symbol="XAUUSD")
    url = reverse("admin:market_instrument_transition", args=[gold.pk, "halt"])

    assert browser(*VIEWS).post(url, {"reason": "because"}).status_code == 403
    assert Instrument.objects.get(pk=gold.pk).status == "TRADABLE"


def test_the_week_is_written_as_text_and_a_bad_line_changes_nothing():
    desk = browser(*VIEWS, "edit_instrument")
    calendar = TradingCalendar.objects.get(code="US_EQUITY")
    url = reverse("admin:market_tradingcalendar_transition", args=[calendar.pk, "week"])
    before = [str(s) for s in calendar.sessions.all()]

    refused = desk.post(url, {"week": "Monday nine to five", "reason": "summer"})
    overlapping = desk.post(
        url, {"week": "Monday 09:30-16:00\nMonday 15:00-17:00", "reason": "summer"}
    )
    assert (refused.status_code, overlapping.status_code) == (422, 422)
    assert [str(s) for s in calendar.sessions.all()] == before

    accepted = desk.post(
        url, {"week": "Monday 09:30-16:00\nSunday 18:00-00:00", "reason": "summer"}
    )
    assert accepted.status_code == 302
    assert [str(s) for s in calendar.sessions.all()] == ["Monday 09:30–16:00", "Sunday 18:00–00:00"]


def test_limits_and_terms_are_changed_in_dialogs():
    desk = browser(*VIEWS, "edit_instrument")
    gold = Instrument.objects.get(symbol="XAUUSD")
    limits = reverse("admin:market_instrument_transition", args=[gold.pk, "limits"])
    terms = reverse("admin:market_instrument_transition", args=[gold.pk, "terms"])
    values = {
        "min_lot": "0.01",
        "max_lot": "20",
        "lot_step": "0.01",
        "margin_rate": "1",
        "swap_long_points": "-30",
        "swap_short_points": "10",
        "reason": "smaller book",
    }

    assert desk.get(limits).status_code == 200
    assert desk.post(limits, values | {"min_lot": "0.015"}).status_code == 422
    assert desk.post(limits, values).status_code == 302
    assert (
        desk.post(terms, {"contract_size": "10", "tick_size": "0.1", "reason": "mini"}).status_code
        == 302
    )

    after = Instrument.objects.get(pk=gold.pk)
    assert (after.max_lot, after.contract_size) == (20, 10)
    assert after.terms.count() == 2


def test_a_venue_is_switched_off_from_its_page():
    desk = browser(*VIEWS, "halt_instrument")
    venue = Venue.objects.get(code="LP_ALPHA")
    url = reverse("admin:market_venue_transition", args=[venue.pk, "disable"])

    assert desk.post(url, {"reason": "outage"}).status_code == 302
    assert Venue.objects.get(pk=venue.pk).status == "DISABLED"


def test_rest_gives_instruments_quotes_and_candles_to_whoever_is_signed_in(quote):
    with clock.frozen(NOON):
        quote("EURUSD", "1.08500", "1.08508")
    start = to_us(NOON.replace(minute=0))
    candles_store([("EURUSD", Bar(start, 108_500, 108_520, 108_490, 108_510, 8, 9, 4))])
    client = browser(staff=False)

    instrument = client.get("/api/v1/instruments/EURUSD/").json()
    price = client.get("/api/v1/instruments/EURUSD/quote/").json()
    everything = client.get("/api/v1/instruments/quotes/").json()
    bars = client.get("/api/v1/instruments/EURUSD/candles/?interval=M1").json()

    assert (instrument["asset_class"], instrument["contract_size"]) == ("FX", "100000.00000000")
    assert (price["bid"], price["ask"], price["spread_points"]) == ("1.085", "1.08508", 8)
    assert [row["symbol"] for row in everything] == ["EURUSD"]
    assert bars == [
        {
            "time": start // 1_000_000,
            "open": "1.08500",
            "high": "1.08520",
            "low": "1.08490",
            "close": "1.08510",
            "ticks": 4,
        }
    ]


def test_rest_refuses_strangers_unknown_symbols_and_bad_questions():
    client = browser(staff=False)

    assert Browser().get("/api/v1/instruments/").status_code in (401, 403)
    assert client.get("/api/v1/instruments/NOPE/").status_code == 404
    silent = client.get("/api/v1/instruments/EURUSD/quote/")
    assert (silent.status_code, silent.json()["code"]) == (409, "NO_QUOTE")
    assert client.get("/api/v1/instruments/EURUSD/candles/?interval=M2").status_code == 400
    assert client.get("/api/v1/instruments/EURUSD/candles/?limit=100000").status_code == 400
    assert client.post("/api/v1/instruments/", {}).status_code in (403, 405)
    assert len(client.get("/api/v1/instruments/").json()["results"]) == 24
