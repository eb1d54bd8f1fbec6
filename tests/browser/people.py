"""People in front of their screens: each has a browser window of their own and does what a person does."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Request, expect

PASSWORD = "demo-Broker-2026"
PATIENCE_MS = 15_000
SCREENSHOTS = Path(__file__).parent / "screenshots"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


class Person:
    """One person, one window. Script errors and requests to other machines are collected in `complaints`."""

    def __init__(
        self, browser: Browser, url: str, *, phone: bool = False, dark: bool = False, name: str = ""
    ) -> None:
        self.name = name
        self.url = url
        self.complaints: list[str] = []
        self._context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            base_url=url,
            has_touch=phone,
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._notes_what_leaves)

    def _notes_what_leaves(self, request: Request) -> None:
        """Nothing comes from a CDN: every byte is this machine's own."""
        place = urlsplit(request.url)
        if place.scheme in ("http", "https", "ws", "wss") and place.hostname != "127.0.0.1":
            self.complaints.append(f"asked {place.hostname} for {place.path}")

    def close(self) -> None:
        self._context.close()

    def visit(self, path: str) -> None:
        self.page.goto(path)

    def signs_in(self, email: str, password: str = PASSWORD, *, at: str = "/portal/login/") -> None:
        self.visit(at)
        self.page.locator("[name=username]").fill(email)
        self.page.locator("[name=password]").fill(password)
        self.page.locator("form:has([name=password]) button[type=submit]").click()
        self.page.wait_for_url(re.compile(r"^(?!.*/login/).*$"))

    def signs_in_to_the_back_office(self, email: str) -> None:
        self.signs_in(email, at="/admin/login/?next=/admin/")

    def fills(self, name: str, value: str) -> None:
        """The field with this form name, whatever kind of control it is."""
        control = self.page.locator(f"main [name='{name}'], dialog [name='{name}']").first
        kind = control.evaluate("e => e.tagName + ':' + (e.type || '')")
        if kind == "INPUT:checkbox" and value in ("on", "off"):
            control.set_checked(value == "on")
        elif kind in ("INPUT:radio", "INPUT:checkbox"):
            self.page.locator(f"[name='{name}'][value='{value}']").check(force=True)
        elif kind.startswith("SELECT"):
            control.select_option(value)
        elif kind == "INPUT:file":
            control.set_input_files(value)
        else:
            control.fill(value)

    def clicks(self, text: str, *, exact: bool = False) -> None:
        """A button or a link with these words, in the page's main part."""
        self.control(text, exact=exact).click()

    def control(self, text: str, *, exact: bool = False) -> Locator:
        place = self.page.locator("main, #main, dialog[open]")
        return (
            place.get_by_role("button", name=text, exact=exact)
            .or_(place.get_by_role("link", name=text, exact=exact))
            .first
        )

    def sees(self, text: str | re.Pattern[str], *, within_ms: int = PATIENCE_MS) -> None:
        expect(self.page.locator("body")).to_contain_text(
            text, timeout=within_ms, use_inner_text=True
        )

    def sees_after_reloading(self, text: str | re.Pattern[str], *, within_s: float = 40) -> None:
        """What a reaction in the background makes true a moment later."""
        deadline = time.monotonic() + within_s
        wanted = text if isinstance(text, re.Pattern) else re.compile(re.escape(text))
        while not wanted.search(self.page.locator("body").inner_text()):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{self.name or 'person'} never saw {text!r} at {self.page.url}: {self.said()}"
                )
            time.sleep(0.5)
            self.page.reload()

    def said(self) -> str:
        """What the page says now, for a failing test's message."""
        return re.sub(r"\s+", " ", self.page.locator("body").inner_text())[:1500]

    def finds(self, path: str, words: str) -> None:
        """Searches one of the back office's lists and opens the first row that it finds."""
        self.visit(f"{path}?q={words}")
        self.page.locator("#result_list a[href*='/change/']").first.click()

    def does(self, action: str, reason: str = "") -> None:
        """Presses an action of a back-office page, answers its dialog and waits until it is done."""
        self.page.locator("[role=toolbar]").get_by_role("link", name=action, exact=True).click()
        dialog = self.page.locator("#bo-transition[open]")
        dialog.wait_for()
        if reason:
            dialog.locator("textarea[name=reason]").fill(reason)
        with self.page.expect_navigation():
            dialog.locator("button[type=submit]").click()

    def reads_mail(self, to: str, subject: str) -> None:
        """Opens the newest mail to this address in the demo's mailbox, once it has arrived."""
        self.visit(f"/demo/mailbox/?q={to}")
        self.sees_after_reloading(subject)
        self.page.locator("main a.bo-list-item", has_text=subject).first.click()

    def photographs(self, name: str) -> Path:
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def scrolls_sideways(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )
