"""Real Chromium against a whole running brokerage. Without Chromium the tests are skipped, in CI they fail."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.brokerage import Brokerage
from tests.browser.people import Person

CHROMIUM = os.environ.get("BROKEROS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
REQUIRED = bool(os.environ.get("CI") or os.environ.get("BROKEROS_REQUIRE_BROWSER"))
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(autouse=True)
def fresh_redis() -> None:
    """These tests have servers of their own: the suite's shared ones are not touched."""


@pytest.fixture(scope="package")
def brokerage(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Brokerage]:
    # a socket's path may have 107 characters, so the home is not below pytest's long one
    home = Path(tmp_path_factory.mktemp("b"))
    running = Brokerage(home)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        if REQUIRED:
            pytest.fail(f"Chromium is required here and {CHROMIUM} is not there")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def person(
    brokerage: Brokerage, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Person]]:
    """`person("ana", phone=True)`: a new window. After a failure each window leaves a picture behind."""
    windows: list[Person] = []

    def arrive(name: str = "", *, phone: bool = False, dark: bool = False) -> Person:
        window = Person(browser, brokerage.url, phone=phone, dark=dark, name=name)
        windows.append(window)
        return window

    yield arrive
    report = getattr(request.node, "report_call", None)
    for number, window in enumerate(windows):
        if report is not None and report.failed:
            story = re.sub(r"\W+", "-", request.node.name)
            window.photographs(f"failed-{story}-{number}-{window.name}")
        window.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.report_call = report  # type: ignore[attr-defined]
