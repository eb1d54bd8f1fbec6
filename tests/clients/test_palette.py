"""One search over everything: within scope, within permission, never by what is masked, not without end."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from apps.clients.models import Client
from apps.core.actor import ScopeLevel
from apps.core.masks import may_look_up
from apps.core.search import KINDS, PER_MINUTE, search
from tests.kyc import story

from . import world

pytestmark = pytest.mark.usefixtures("house")
FIND = "/admin/find/"


def desk(role: str, **fields) -> Browser:
    browser = Browser()
    browser.force_login(world.staff_user(role, **fields))
    return browser


def found(browser: Browser, text: str) -> str:
    answer = browser.get(FIND, {"q": text}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_client_is_found_by_number_name_address_and_phone():
    client = world.register()
    browser = desk("compliance")
    page = f"/admin/clients/client/{client.pk}/change/"
    for text in (
        client.number,
        client.number[:6],
        "vogel",
        "len vog",
        "lena@client.example",
        "+49 151 23456789",
    ):
        assert page in found(browser, text), text
    assert page not in found(browser, "nobody")


def test_a_name_finds_the_case_as_well():
    case = story.submitted()
    assert f"/admin/kyc/kyccase/{case.pk}/change/" in found(desk("compliance"), "vogel")


def test_what_names_one_thing_exactly_opens_at_once():
    client = world.register()
    for text in (client.number, str(client.pk)):
        answer = desk("compliance").get(FIND, {"q": text})
        assert answer.status_code == 302
        assert answer["Location"] == f"/admin/clients/client/{client.pk}/change/"
    assert desk("compliance").get(FIND, {"q": "vogel"}).status_code == 200


def test_out_of_scope_is_not_found_in_any_way():
    client = world.register()
    elsewhere = desk(
        "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="int@house.example"
    )
    for text in (client.number, "vogel", "lena@client.example", str(client.pk)):
        assert str(client.pk) not in found(elsewhere, text)
        assert elsewhere.get(FIND, {"q": text}).status_code == 200


def test_nobody_finds_by_what_they_do_not_read_in_full():
    client = world.register()
    actor = world.staff("sales")
    assert not may_look_up(actor, Client, "person__email_index__blind")
    browser = desk("sales")
    assert str(client.pk) in found(browser, client.number)
    assert str(client.pk) not in found(browser, "lena@client.example")
    assert "lena@client.example" not in found(browser, client.number)


def test_kinds_are_those_of_the_role():
    world.register()
    sales, compliance = world.staff("sales"), world.staff("compliance")
    kinds = {group.kind.code for group in search(sales, "vogel")}
    assert kinds <= {"clients"}
    assert KINDS["cases"].permission.code in compliance.permissions
    assert "cases" not in {group.kind.code for group in search(sales, "vogel")}


def test_pages_are_found_by_name_for_those_who_may_open_them():
    assert "/admin/kyc/kyccase/" in found(desk("compliance"), "kyc rev")
    assert "/admin/kyc/kyccase/" not in found(desk("dealing"), "kyc rev")


def test_searching_without_end_is_stopped():
    browser = desk("compliance")
    actor = world.staff("compliance")
    for _ in range(PER_MINUTE):
        search(actor, "nobody")
    answer = browser.get(FIND, {"q": "vogel"})
    assert answer.status_code == 429
    assert "many searches" in answer.content.decode()


@pytest.mark.parametrize(
    "text", ["", "x", "\x00\x00", "%", "' OR 1=1 --", "9" * 400, "٣٤", "a" * 5000]
)
def test_odd_texts_find_nothing_and_break_nothing(text):
    assert "bo-palette-hit" not in found(desk("auditor"), text) or text in ("", "x", "\x00\x00")


def test_visitors_and_clients_do_not_search():
    client = world.confirmed()
    browser = Browser()
    assert browser.get(FIND, {"q": "vogel"}).status_code == 302
    browser.force_login(world.user_of(client))
    assert browser.get(FIND, {"q": "vogel"}).status_code == 302


def test_the_box_stands_on_every_page():
    shown = desk("compliance").get("/admin/clients/client/").content.decode()
    assert "data-palette-open" in shown
    assert 'id="bo-palette"' in shown
