"""The front door, signing in, the overview and the mailbox, as each person meets them."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.urls import reverse

from apps.core.models import Mail
from apps.portal.navigation import PARTNER, PORTAL, bottom_of, sections
from tests.clients import world

pytestmark = pytest.mark.django_db


def sign_in(browser: Browser, email: str, **fields: str) -> object:
    return browser.post(
        reverse("portal:login"), {"username": email, "password": world.PASSWORD, **fields}
    )


def test_the_front_door_opens_for_strangers(client: Browser) -> None:
    page = client.get("/")

    assert page.status_code == 200
    assert reverse("portal:dashboard") in page.content.decode()
    assert reverse("admin:index") in page.content.decode()


def test_a_stranger_is_asked_to_sign_in_before_the_overview(client: Browser) -> None:
    answer = client.get(reverse("portal:dashboard"))

    assert answer.status_code == 302
    assert answer["Location"] == "/portal/login/?next=/portal/"


def test_a_client_signs_in_to_the_overview(client: Browser, house: None) -> None:
    world.confirmed()

    answer = sign_in(client, "lena@client.example")

    assert answer["Location"] == reverse("portal:dashboard")
    page = client.get(answer["Location"]).content.decode()
    assert "Hello, Lena" in page
    assert "Complete your application" in page
    assert "No trading account yet" in page


def test_the_booking_entity_s_risk_warning_is_on_the_page(client: Browser, house: None) -> None:
    registered = world.confirmed()
    sign_in(client, "lena@client.example")

    page = client.get(reverse("portal:dashboard"))

    assert page.context["booking_entity"] == registered.entity
    assert registered.entity.risk_warning in page.content.decode()


def test_staff_who_sign_in_here_go_to_the_back_office(client: Browser, house: None) -> None:
    world.staff_user("compliance")

    assert sign_in(client, "compliance@house.example")["Location"] == reverse("admin:index")


def test_staff_see_no_client_s_overview(client: Browser, house: None) -> None:
    world.confirmed()
    client.force_login(world.staff_user("compliance"))

    page = client.get(reverse("portal:dashboard"))

    assert page.status_code == 403
    assert "Lena" not in page.content.decode()


def test_a_wrong_password_says_so_and_signs_nobody_in(client: Browser, house: None) -> None:
    world.confirmed()

    page = sign_in(client, "lena@client.example", password="not-the-password-9")

    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_signing_in_never_leads_to_another_site(client: Browser, house: None) -> None:
    world.confirmed()

    answer = sign_in(client, "lena@client.example", next="https://elsewhere.example/portal/")

    assert answer["Location"] == reverse("portal:dashboard")


def test_a_link_cannot_sign_anybody_out(client: Browser, house: None) -> None:
    world.confirmed()
    sign_in(client, "lena@client.example")

    assert client.get(reverse("portal:logout")).status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post(reverse("portal:logout"))["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_the_overview_is_not_kept_by_the_browser(client: Browser, house: None) -> None:
    world.confirmed()
    sign_in(client, "lena@client.example")

    assert "no-store" in client.get(reverse("portal:dashboard"))["Cache-Control"]


def test_the_mailbox_finds_a_person_s_mail_and_its_links(client: Browser) -> None:
    Mail.objects.create(
        to="lena@client.example", subject="Confirm", body="Open http://127.0.0.1/x <b>"
    )
    Mail.objects.create(to="omar@client.example", subject="Welcome", body="Hello")

    found = client.get(reverse("mailbox-list"), {"q": "lena"}).content.decode()
    letter = client.get(reverse("mailbox-message", args=[Mail.objects.earliest("id").pk]))

    assert "Confirm" in found
    assert "Welcome" not in found
    assert '<a href="http://127.0.0.1/x"' in letter.content.decode()
    assert "&lt;b&gt;" in letter.content.decode()


def test_an_unknown_page_keeps_its_secrets(client: Browser) -> None:
    page = client.get("/portal/accounts/somebody-elses/")

    assert page.status_code == 404
    assert "There is no such page" in page.content.decode()


def test_navigation_shows_only_what_exists_and_marks_one_page() -> None:
    listed = sections(PORTAL, reverse("portal:dashboard"))
    items = [item for section in listed for item in section.items]

    assert [item.url for item in items if item.current] == [reverse("portal:dashboard")]
    assert all(item.url for item in items)
    assert len({item.url for item in items}) == len(items)
    assert len(bottom_of(listed)) <= 4


def test_a_page_below_another_marks_that_one() -> None:
    listed = sections(PORTAL, reverse("portal:clients-profile"))
    current = [item.url for section in listed for item in section.items if item.current]

    assert current == [reverse("portal:clients-profile")]


def test_partner_pages_never_point_into_the_portal() -> None:
    urls = [item.url for section in sections(PARTNER, "/partner/") for item in section.items]

    assert all(url.startswith(("/partner/", "/account/")) for url in urls)


def test_the_back_office_home_greets_and_shows_what_waits(client: Browser, house: None) -> None:
    client.force_login(world.staff_user("compliance"))

    page = client.get(reverse("admin:index")).content.decode()

    assert "Hello, compliance" in page
    assert "Waiting for you" in page
    assert "System health" in page


def test_the_back_office_is_closed_to_clients(client: Browser, house: None) -> None:
    registered = world.confirmed()
    client.force_login(get_user_model().objects.get(client_logins__client=registered))

    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
