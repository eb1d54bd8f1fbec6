"""Golden scenario 28: sales exports clients; the file is masked, holds the own book alone, and is written down."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client as Browser

from apps.clients.services import client_owner_change, client_share
from apps.core import clock
from apps.core.actor import ScopeLevel
from apps.core.models import AuditRecord
from apps.users.selectors import actor_for
from tests.clients import world
from tests.clients.conftest import house as house

pytestmark = pytest.mark.usefixtures("house")
EXPORT = "/admin/clients/client/export/"
COLUMNS = ["number", "first_name", "last_name", "email", "phone", "country", "owner"]


def seller(name: str):
    return world.staff_user("sales", scope=ScopeLevel.OWN, email=f"{name}@house.example")


def client_of(owner, name: str, phone: str):
    client = world.register(email=f"{name}@client.example", phone=phone)
    return client_owner_change(
        client_id=client.pk, owner_id=owner.pk, actor=world.SYSTEM, reason="opening"
    )


def exports(user, query: str = "") -> list[dict[str, str]]:
    browser = Browser()
    browser.force_login(user)
    shown = browser.get(f"{EXPORT}{query}").content.decode()
    asked = {
        "run_id": re.search(r'name="run_id" value="([^"]+)"', shown).group(1),
        "columns": COLUMNS, "file_format": "csv", "reason": "calls of this week",
    }  # fmt: skip
    page = browser.post(f"{EXPORT}{query}", asked)["Location"]
    file = browser.get(f"{page}file/").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(file)))


def test_sales_exports_clients_masked_scoped_and_logged():
    sam, kim = seller("sam"), seller("kim")
    mine = client_of(sam, "lena", "+4915123456789")
    shared = client_of(kim, "omar", "+4915123450001")
    client_of(kim, "nina", "+4915123450002")

    (row,) = exports(sam)
    assert (row["Number"], row["Last name"], row["E-mail"]) == (
        mine.number, "Vogel", "l•••@client.example",
    )  # fmt: skip
    assert row["Phone"] == "'+49•••89"

    record = AuditRecord.objects.get(action="export.run")
    assert (record.actor_id, record.reason) == (f"user:{sam.pk}", "calls of this week")
    assert (record.after["list"], record.after["count"]) == ("clients.client", 1)
    assert record.after["columns"] == COLUMNS
    assert AuditRecord.objects.filter(action="export.download").count() == 1

    until = clock.now() + timedelta(days=1)
    client_share(
        client_id=shared.pk, user_id=sam.pk, until=until, actor=actor_for(kim), reason="cover"
    )
    assert {row["Number"] for row in exports(sam)} == {mine.number, shared.number}
    with clock.frozen(until):
        assert {row["Number"] for row in exports(sam)} == {mine.number}


def test_a_filter_finds_no_more_in_a_file_than_on_the_page():
    sam, kim = seller("sam"), seller("kim")
    client_of(sam, "lena", "+4915123456789")
    other = client_of(kim, "omar", "+4915123450001")
    assert exports(sam, f"?q={other.number}") == []
    browser = Browser()
    browser.force_login(sam)
    for guess in (
        "person__email_index__blind=lena@client.example",
        "person__email__startswith=l",
        "owner__email__startswith=k",
    ):
        answer = browser.get(f"{EXPORT}?{guess}")
        assert answer.status_code in (302, 400), guess
