"""Every list asks the database a fixed number of questions, however many rows it shows.

The numbers stand in `query_counts.json` beside each app's tests. `UPDATE_QUERY_COUNTS=1` writes them anew; a change is
then a line in the review.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.models import Account
from apps.ledger.selectors import posted_of
from tests.architecture.addresses import RULES, addresses, model_admins
from tests.architecture.house import House

pytestmark = pytest.mark.django_db

TESTS = Path(settings.BASE_DIR) / "tests"
REWRITE = bool(os.environ.get("UPDATE_QUERY_COUNTS"))
FEW, MANY = 1, 12
PORTAL = ("accounts-list", "orders-history", "orders-positions", "orders-ticket", "payments-history",
          "payments-transfer", "payments-wallets", "payments-withdraw", "clients-agreements",
          "clients-privacy")  # fmt: skip
PARTNER = ("tree", "clients", "accruals", "statement", "payouts", "links")


@pytest.fixture
def _django_db_helper() -> None:
    """The house stays as well."""


class Counts:
    """What each app's file says, and what was counted now."""

    def __init__(self) -> None:
        self.now: dict[str, dict[str, int]] = defaultdict(dict)
        self.found: list[str] = []

    def check(self, app: str, name: str, queries: list[str]) -> None:
        self.now[app][name] = len(queries)
        known = _kept(app).get(name)
        if not REWRITE and known != len(queries):
            asked = "\n    ".join(queries)
            self.found.append(f"{name}: {len(queries)} queries, {known} are kept\n    {asked}")

    def settle(self) -> None:
        if REWRITE:
            for app, counts in self.now.items():
                merged = _kept(app) | counts
                text = json.dumps(dict(sorted(merged.items())), indent=2)
                _file(app).write_text(text + "\n")
        assert not self.found, "\n" + "\n".join(self.found)


def _file(app: str) -> Path:
    return TESTS / app / "query_counts.json"


def _kept(app: str) -> dict[str, int]:
    return json.loads(_file(app).read_text()) if _file(app).exists() else {}


def asked(browser: Browser, path: str) -> list[str]:
    """The queries of the second visit: what is looked up once per process is known by then."""
    browser.get(path)
    with CaptureQueriesContext(connection) as seen:
        answer = browser.get(path)
    assert answer.status_code == 200, f"{path} answered {answer.status_code}"
    asked = [query["sql"][:400] for query in seen.captured_queries]
    # Every minute or so a session notes that its person is there.
    return [sql for sql in asked if not sql.startswith('UPDATE "django_session"')]


@pytest.fixture
def counts() -> Iterator[Counts]:
    held = Counts()
    yield held
    held.settle()


def compared(counts: Counts, app: str, name: str, ask: Callable[[int], list[str]]) -> None:
    few, many = ask(FEW), ask(MANY)
    if len(many) > len(few):
        extra = "\n    ".join(many[len(few) - 3 :])
        counts.found.append(
            f"{name}: {len(few)} queries for few rows, {len(many)} for many\n    {extra}"
        )
    counts.check(app, name, many)


def test_the_back_offices_lists(
    house: House, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = house.browser("admin")
    for model, admin in model_admins().items():
        if admin.opts.app_label.startswith("django_"):
            continue
        path = f"/admin/{admin.opts.app_label}/{admin.opts.model_name}/"

        def ask(rows: int, admin: Any = admin, path: str = path) -> list[str]:
            monkeypatch.setattr(admin, "list_per_page", rows)
            return asked(browser, path)

        compared(counts, admin.opts.app_label, f"admin {model}", ask)


def test_the_interfaces_lists(house: House, counts: Counts) -> None:
    browser = house.browser("admin")
    for address in addresses():
        if not address.name.endswith("-list") or RULES[address.name].door != "api":
            continue
        app = RULES[address.name].permission.partition(".")[0] or "market"
        path = (
            f"{address.path()}?client={house.ana.client_id}"
            if address.name == "wallet-list"
            else address.path()
        )

        def ask(rows: int, path: str = path) -> list[str]:
            return asked(browser, f"{path}{'&' if '?' in path else '?'}page_size={rows}")

        compared(counts, app, f"api {address.name}", ask)


def test_clients_and_partners_lists(house: House, counts: Counts) -> None:
    client, partner = house.browser("client"), house.browser("partner")
    paths = {address.name: address for address in addresses()}
    for name in PORTAL:
        counts.check(
            name.partition("-")[0], f"portal {name}", asked(client, paths[f"portal:{name}"].path())
        )
    for name in PARTNER:
        counts.check("ib", f"partner {name}", asked(partner, paths[f"partner:{name}"].path()))


@pytest.mark.parametrize("strangers", [1, 12])
def test_what_accounts_hold_is_two_questions_and_opens_no_account(
    house: House, strangers: int
) -> None:
    before = Account.objects.count()
    owners = {f"trading:{house.ana.account_id}": "EUR"}
    owners |= {f"trading:unknown-{number}": "EUR" for number in range(strangers)}
    with CaptureQueriesContext(connection) as seen:
        held = posted_of(AccountKind.CLIENT_TRADING, owners)
    assert len(seen.captured_queries) == 2
    assert held[f"trading:{house.ana.account_id}"] == house.ana.trading_money
    assert held["trading:unknown-0"] == Money.zero("EUR")
    assert Account.objects.count() == before
