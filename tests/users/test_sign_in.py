"""The doors: who comes in, who does not, what is kept of it, and what a stranger learns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client as Browser
from django.urls import reverse

from apps.core import clock
from apps.core.models import AuditRecord, OutboxEvent
from apps.users.models import KnownDevice, NetworkRule, SignInBrake, User
from apps.users.signin.brake import CURVES, Curve, Kind

SECRET = "a-long-secret-of-Vera"
NOON = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)
WRONG = "Please enter a correct e-mail and password."

pytestmark = pytest.mark.django_db


@pytest.fixture
def vera() -> User:
    return User.objects.create_user("vera@house.example", SECRET, is_staff=True, name="Vera")


@pytest.fixture
def lena() -> User:
    return User.objects.create_user("lena@client.example", SECRET, name="Lena")


def knock(email: str, password: str = SECRET, *, at: str = "/portal/login/", ip: str = "10.0.0.1",
          browser: Browser | None = None, **fields: str) -> object:  # fmt: skip
    return (browser or Browser()).post(
        at, {"username": email, "password": password, **fields}, REMOTE_ADDR=ip
    )


def acts(user: User) -> list[str]:
    rows = AuditRecord.objects.filter(subject_type="users.User", subject_id=str(user.pk))
    return list(rows.order_by("id").values_list("action", flat=True))


def test_a_sign_in_is_kept_with_its_device_and_its_session(lena: User) -> None:
    browser = Browser(headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140"})

    answer = knock("Lena@client.example ", browser=browser)

    assert answer.status_code == 302
    assert browser.session["fresh_by"] == "password"
    record = AuditRecord.objects.get(action="login.sign_in")
    assert (record.actor_id, record.subject_id) == (f"user:{lena.pk}", str(lena.pk))
    assert record.after["method"] == "password"
    assert UserSession.objects.get(user=lena).session_key == browser.session.session_key
    assert KnownDevice.objects.get(user=lena).description.endswith("Firefox/140")


def test_only_a_browser_never_seen_before_is_written_to_its_owner(lena: User) -> None:
    def told() -> int:
        return OutboxEvent.objects.filter(name="users.NewDeviceSignedIn").count()

    home = Browser()
    knock("lena@client.example", browser=home)
    assert told() == 0, "the first sign-in ever is no news"
    home.post("/portal/logout/")
    knock("lena@client.example", browser=home)
    assert told() == 0, "a browser that is known"
    knock("lena@client.example", browser=Browser())
    assert told() == 1


def test_a_new_device_and_a_lockout_reach_the_owners_mailbox(
    lena: User, deliver_outbox, django_capture_on_commit_callbacks, mailoutbox
) -> None:
    knock("lena@client.example")
    knock("lena@client.example")
    for _try in range(8):
        knock("lena@client.example", "guess")
    with django_capture_on_commit_callbacks(execute=True):
        deliver_outbox()
    assert [(m.to, m.subject) for m in mailoutbox] == [
        (["lena@client.example"], "New sign-in"),
        (["lena@client.example"], "Too many wrong passwords"),
    ]


def test_a_client_at_the_back_offices_door_is_answered_like_a_wrong_password(
    lena: User, vera: User
) -> None:
    browser = Browser()
    page = knock("lena@client.example", at="/admin/login/?next=/admin/", browser=browser)
    assert page.status_code == 200
    assert WRONG in page.content.decode()
    assert "_auth_user_id" not in browser.session
    assert acts(lena) == ["login.failure"]
    answer = knock("vera@house.example", at="/admin/login/?next=/admin/")
    assert answer["Location"] == "/admin/"


def test_a_client_never_lands_in_the_back_office(lena: User) -> None:
    browser = Browser()
    answer = knock("lena@client.example", next="/admin/", browser=browser)
    assert answer["Location"] == reverse("portal:dashboard")
    assert browser.get("/admin/")["Location"].startswith("/admin/login/")
    page = browser.get("/admin/login/?next=/admin/")
    assert page.status_code == 200
    assert "This door is for staff" in page.content.decode()


def test_the_session_gets_a_new_key_at_the_door(lena: User) -> None:
    browser = Browser()
    browser.get("/account/passkey/", headers={"Accept": "application/json"})
    before = browser.session.session_key
    knock("lena@client.example", browser=browser)
    assert before
    assert browser.session.session_key != before


def test_waits_double_and_end(lena: User) -> None:
    with clock.frozen(NOON):
        for _try in range(8):
            knock("lena@client.example", "guess")
        page = knock("lena@client.example")
        assert "Too many tries. Wait 1 min" in page.content.decode()
    with clock.frozen(NOON + timedelta(seconds=61)):
        assert WRONG in knock("lena@client.example", "guess").content.decode()
        assert "Wait 2 min" in knock("lena@client.example").content.decode()
    with clock.frozen(NOON + timedelta(minutes=4)):
        assert knock("lena@client.example").status_code == 302
        assert SignInBrake.objects.get(kind="account").failures == 0
    assert acts(lena).count("login.lockout") == 2


def test_a_lockout_is_one_accounts_and_not_its_neighbours(lena: User, vera: User) -> None:
    for _try in range(8):
        knock("lena@client.example", "guess")
    assert "Too many tries" in knock("lena@client.example", ip="10.9.9.9").content.decode()
    assert knock("vera@house.example").status_code == 302


def test_an_address_that_nobody_has_is_answered_word_for_word_alike(lena: User) -> None:
    def said(email: str) -> list[str]:
        pages = [knock(email, "guess", ip="10.0.0.7").content.decode() for _try in range(10)]
        return [
            WRONG if WRONG in page else "shut" if "Too many tries. Wait 1 min" in page else page
            for page in pages
        ]

    assert (
        said("lena@client.example") == said("nobody@client.example") == [WRONG] * 8 + ["shut"] * 2
    )


def test_a_password_is_hashed_once_for_known_and_unknown_addresses_and_never_while_shut(
    lena: User,
) -> None:
    def hashes(email: str) -> int:
        with patch.object(
            MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode
        ) as encode:
            knock(email, "guess", ip="10.0.0.8")
        return encode.call_count

    assert hashes("lena@client.example") == hashes("nobody@client.example") == 1
    for _try in range(7):
        knock("lena@client.example", "guess", ip="10.0.0.8")
    assert hashes("lena@client.example") == 0


def test_stuffing_from_one_network_is_shut_before_it_costs(lena: User, vera: User) -> None:
    """Ten thousand stolen pairs a minute, at the size of a test: after sixty the network waits, unhashed."""
    lena.set_password("a-stolen-secret-99")
    lena.save()
    with clock.frozen(NOON):
        answers = [knock(f"user{n}@x.example", "stolen", ip="10.6.6.6") for n in range(80)]
        shut = [answer for answer in answers if b"Too many tries" in answer.content]
        assert len(shut) == 20
        late_hit = knock("lena@client.example", "a-stolen-secret-99", ip="10.6.6.6")
        assert b"Too many tries" in late_hit.content
        assert knock("vera@house.example", ip="10.0.0.1").status_code == 302
    assert AuditRecord.objects.filter(action="login.failure").count() == 60


@pytest.mark.parametrize("password", [SECRET, "guess"])
def test_a_closed_login_says_nothing_about_its_password(lena: User, password: str) -> None:
    lena.is_active = False
    lena.save()
    assert WRONG in knock("lena@client.example", password).content.decode()


def test_signing_up_is_the_products_own_page_alone() -> None:
    for path in ("/account/signup/", "/accounts/signup/", "/account/email/", "/account/login/"):
        assert Browser().get(path).status_code == 404


def test_pages_with_passwords_load_their_own_files_only(lena: User) -> None:
    browser = Browser()
    pages = [browser.get("/portal/login/"), browser.get("/admin/login/")]
    browser.force_login(lena)
    pages += [browser.get("/account/confirm/"), browser.get("/account/security/password/")]
    for page in pages:
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "no-store" in page["Cache-Control"]


def test_behind_our_proxy_a_stranger_shuts_only_their_own_address(
    vera: User, settings, monkeypatch
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    minute = timedelta(minutes=1)
    monkeypatch.setitem(CURVES, Kind.ADDRESS, Curve(3, minute, minute, minute))

    def comes(email: str, password: str, address: str) -> str:
        answer = Browser(headers={"X-Forwarded-For": address}).post(
            "/portal/login/", {"username": email, "password": password}, REMOTE_ADDR="10.0.0.1"
        )
        return "in" if answer.status_code == 302 else answer.content.decode()

    for n in range(3):
        comes(f"guess{n}@client.example", "wrong", "203.0.113.9")
    assert "Too many tries" in comes("vera@house.example", SECRET, "203.0.113.9")
    assert comes("vera@house.example", SECRET, "198.51.100.7") == "in"


def test_from_where_a_role_may_not_be_used_the_door_stays_shut(vera: User) -> None:
    NetworkRule.objects.create(user=vera, networks=["198.51.100.0/24"], reason="desk only")
    refused = Browser()
    knock("vera@house.example", at="/admin/login/", ip="203.0.113.9", browser=refused)
    assert "_auth_user_id" not in refused.session
    assert acts(vera) == ["sign_in.refused"]
    home = Browser()
    knock("vera@house.example", at="/admin/login/", ip="198.51.100.7", browser=home)
    assert home.session["_auth_user_id"] == str(vera.pk)
