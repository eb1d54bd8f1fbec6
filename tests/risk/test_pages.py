"""Exposure and kill switches on screens and over REST."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.test import Client as Browser
from django.urls import reverse

from apps.core.models import Approval
from apps.risk.exposure import ExposureKeeper
from apps.risk.models import KillSwitch
from apps.risk.snapshot import snapshot_store
from tests.orders import floor

pytestmark = pytest.mark.usefixtures("market")

RISK = ("risk.view_exposure", "risk.view_killswitch", "orders.set_kill_switch")


def browser(*codes: str, email: str = "risk@example.com", **values: object) -> Browser:
    fields = {"is_staff": True, "scope_level": "ALL"} | values
    user = get_user_model().objects.create(email=email, **fields)
    wanted = Q(pk__in=[])
    for code in codes:
        app, _dot, name = code.partition(".")
        wanted |= Q(content_type__app_label=app, codename=name)
    user.user_permissions.set(Permission.objects.filter(wanted))
    page = Browser()
    page.force_login(user)
    return page


def exposed(entity: str = "BOS-INT") -> None:
    floor.trades(floor.trading_account(funds="50000", entity=entity), "buy", "1.50")
    keeper = ExposureKeeper()
    keeper.load()
    snapshot_store(keeper.snapshot())


def test_the_live_page_opens_for_the_risk_desk_and_for_nobody_else():
    url = reverse("admin-risk-exposure")

    assert browser(*RISK).get(url).status_code == 200
    assert browser(email="a@example.com").get(url).status_code == 403
    own = browser(*RISK, email="b@example.com", scope_level="OWN")
    assert own.get(url).status_code == 403
    assert Browser().get(url).status_code == 302


def test_a_symbol_leads_to_the_accounts_behind_it():
    exposed()
    desk = browser(*RISK)

    page = desk.get(reverse("admin-risk-exposure-symbol", args=["EURUSD"]))

    assert page.status_code == 200
    assert page.context["row"]["net_lots"] == 1.5
    assert [p.lots for p in page.context["page"]] == [1.5]
    assert desk.get(reverse("admin-risk-exposure-symbol", args=["NOPE"])).status_code == 404


def test_the_home_page_shows_exposure_and_what_is_stopped():
    exposed()
    desk = browser(*RISK)
    desk.post(
        reverse("admin:risk_killswitch_trip"),
        {"level": "symbol", "target": "EURUSD", "reason": "news at noon"},
    )

    home = desk.get(reverse("admin:index"))

    assert home.status_code == 200
    assert b"Trading is stopped: symbol:EURUSD" in home.content
    assert b"1 kill switch is in force" in home.content


def test_rest_says_what_it_knows_and_503_when_it_knows_nothing():
    desk = browser(*RISK)

    unknown = desk.get("/api/v1/exposure/")
    assert (unknown.status_code, unknown.json()["code"]) == (503, "UNAVAILABLE")
    exposed()
    known = desk.get("/api/v1/exposure/").json()
    assert known["views"]["symbols"]["EURUSD"]["net_lots"] == 1.5
    assert known["state"]["currency"] == "USD"
    refused = browser(email="a@example.com").get("/api/v1/exposure/")
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_ALLOWED")


def test_one_stops_and_asks_and_the_page_says_so():
    desk = browser(*RISK)
    trip = reverse("admin:risk_killswitch_trip")

    assert desk.get(trip).status_code == 200
    assert (
        desk.post(trip, {"level": "symbol", "target": "NOPE", "reason": "news"}).status_code == 422
    )
    assert desk.post(trip, {"level": "symbol", "target": "EURUSD", "reason": ""}).status_code == 422
    assert KillSwitch.objects.count() == 0
    assert (
        desk.post(trip, {"level": "symbol", "target": "EURUSD", "reason": "news"}).status_code
        == 302
    )
    switch = KillSwitch.objects.get()
    rearm = reverse("admin:risk_killswitch_transition", args=[switch.pk, "rearm"])
    assert desk.post(rearm, {"reason": "calm again"}).status_code == 302
    assert Approval.objects.get().title == "Re-arm trading: symbol:EURUSD"
    assert desk.post(rearm, {"reason": "calm again"}).status_code == 409
    listing = reverse("admin:risk_killswitch_changelist")
    assert desk.get(listing).status_code == 200
    assert desk.get(reverse("admin:risk_killswitch_change", args=[switch.pk])).status_code == 200


def test_stopping_from_the_page_needs_the_permission():
    looker = browser("risk.view_killswitch")
    trip = reverse("admin:risk_killswitch_trip")

    assert looker.get(trip).status_code == 403
    assert looker.post(trip, {"level": "firm", "reason": "because"}).status_code == 403
    assert KillSwitch.objects.count() == 0
