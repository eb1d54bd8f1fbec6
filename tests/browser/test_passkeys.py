"""Passkeys in a real browser: added, used instead of a password, and open while guesses have shut the password door."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.brokerage import Brokerage
from tests.browser.people import DESKTOP, PASSWORD

WHO = "risk@demo.brokeros.example"
AWAY_FROM_THE_DOOR = re.compile(r"^(?!.*/login/).*$")


@pytest.fixture
def page(brokerage: Brokerage, browser: Browser) -> Iterator[Page]:
    """A window with a security key plugged in. A passkey belongs to a name, so the house is called by its own."""
    context = browser.new_context(
        viewport=DESKTOP,  # type: ignore[arg-type]
        base_url=brokerage.url.replace("127.0.0.1", "localhost"),
    )
    window = context.new_page()
    wire = context.new_cdp_session(window)
    wire.send("WebAuthn.enable")
    wire.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    yield window
    context.close()


def guess(page: Page, password: str) -> None:
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(WHO)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_passkey_opens_the_back_office_while_guessing_has_shut_the_password(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    guess(page, PASSWORD)
    page.wait_for_url(AWAY_FROM_THE_DOOR)

    page.goto("/account/security/")
    page.get_by_role("link", name="Add a passkey").click()
    page.locator("[name=name]").fill("Desk key")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert page.locator(".bo-codes li").count() == 10
    page.goto("/account/security/")
    expect(page.locator("body")).to_contain_text("Desk key")

    page.context.clear_cookies()
    for _try in range(9):
        guess(page, "not-the-password")
    expect(page.get_by_role("alert").first).to_contain_text("Too many tries")
    guess(page, PASSWORD)
    expect(page.get_by_role("alert").first).to_contain_text("Too many tries")

    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile(r"/admin/$"))

    page.goto("/account/confirm/?next=/account/security/")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(re.compile(r"/account/security/$"))
    page.get_by_role("link", name="Remove Desk key").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("body")).not_to_contain_text("Desk key")
    assert complaints == []
