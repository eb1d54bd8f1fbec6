"""Masks on every way to a value: pages, search, filters, order, history, the interface; and the recorded look."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from apps.clients.models import Client, Person
from apps.clients.selectors import client_search
from apps.core.actor import ScopeLevel
from apps.core.errors import InvalidInput, NotAllowed, NotVisible
from apps.core.models import AuditRecord
from apps.core.reveals import personal_reveal, reveal_rates
from apps.kyc.models import Document
from tests.kyc import story

from . import world

pytestmark = pytest.mark.usefixtures("house")
SECRETS = (
    "lena@client.example",
    "23456789",
    "Lindenweg",
    "36574261809",
    "17 May 1990",
    "1990-05-17",
)


def desk(role: str, **fields) -> Browser:
    browser = Browser()
    browser.force_login(world.staff_user(role, **fields))
    return browser


def with_history(role: str, model: str) -> Browser:
    """Somebody of this role who may read old versions too."""
    user = world.staff_user(role, email=f"{role}.{model}@house.example")
    user.user_permissions.add(*Permission.objects.filter(codename=f"view_{model}"))
    browser = Browser()
    browser.force_login(user)
    return browser


def text(browser: Browser, url: str, status: int = 200) -> str:
    response = browser.get(url)
    assert response.status_code == status, (url, response.status_code)
    return response.content.decode()


@pytest.fixture
def case():
    return story.submitted()


def test_each_role_reads_of_a_client_what_its_masks_say(case):
    url = f"/admin/clients/client/{case.client_id}/change/"
    full = text(desk("compliance"), url)
    for value in ("Lena", "Vogel", "lena@client.example", "Lindenweg 4", "36574261809"):
        assert value in full
    sales = text(desk("sales"), url)
    for value in ("Lena", "Vogel", "l•••@client.example", "+49•••89"):
        assert value in sales
    for secret in SECRETS:
        assert secret not in sales
    dealing = text(desk("dealing"), url)
    assert "L••• V•••" in dealing
    for secret in (*SECRETS, "Vogel", "Lena ", "@client.example"):
        assert secret not in dealing


def test_names_are_masked_in_every_list_page_title_and_picker_of_those_who_read_them_in_part(case):
    dealing = desk("dealing")
    for url in (
        "/admin/clients/client/",
        "/admin/clients/restriction/",
        f"/admin/clients/client/{case.client_id}/change/",
    ):
        assert "Vogel" not in text(dealing, url), url
    historian = with_history("dealing", "historicalclient")
    assert "Vogel" not in text(historian, f"/admin/clients/client/{case.client_id}/history/")
    listed = dealing.get("/api/v1/clients/").json()["results"][0]
    assert listed["name"] == "L••• V•••"
    assert listed["personal"] == {"masked": True, "email": "•••", "phone": "•••", "city": "•••"}


def test_a_masked_field_is_not_found_by_guessing(case):
    dealing, client = desk("dealing"), case.client
    found = f"/admin/clients/client/{client.pk}/change/"
    for guess in ("vogel", "lena", "lena@client.example", "+4915123456789"):
        assert found not in text(dealing, f"/admin/clients/client/?q={quote(guess)}")
        assert found in text(desk("compliance"), f"/admin/clients/client/?q={quote(guess)}"), guess
        assert not client_search(guess, actor=world.staff("dealing")).exists()
    assert client_search("vogel", actor=world.staff("sales")).get() == client
    assert not client_search("lena@client.example", actor=world.staff("sales")).exists()


@pytest.mark.parametrize(
    "lookup",
    [
        "person__email_index__blind=lena@client.example",
        "person__email__startswith=l",
        "person__phone_index__exact=x",
        "person__last_name__gt=M",
        "person__names__blind=vogel",
    ],
)
def test_no_filter_in_an_address_reaches_a_masked_field(case, lookup):
    for role in ("dealing", "sales"):
        answer = desk(role).get(f"/admin/clients/client/?{lookup}")
        assert answer.status_code in (302, 400)
        assert f"{case.client_id}/change" not in answer.content.decode()
    assert desk("dealing").get(f"/api/v1/clients/?{lookup}").status_code == 403


def test_a_documents_number_is_hidden_from_search_filter_order_history_and_page(case):
    document = next(row for row in Document.objects.filter(case=case) if row.number)
    number = document.number
    document.number = f"{number}9"
    document.save_as(world.SYSTEM, "typed again", action="document.correct")
    auditor = with_history("auditor", "historicaldocument")
    url = f"/admin/kyc/document/{document.pk}"
    for page in (f"{url}/change/", f"{url}/history/", "/admin/kyc/document/"):
        assert number not in text(auditor, page), page
    assert f"•••{number[-2:]}9" in text(auditor, f"{url}/change/")
    assert "•••" in text(auditor, f"{url}/history/")
    assert number in text(with_history("compliance", "historicaldocument"), f"{url}/history/")
    assert number in text(desk("compliance"), f"{url}/change/")
    version = document.history.first().history_id
    assert number not in text(auditor, f"{url}/history/{version}/")
    guessed = auditor.get(f"/admin/kyc/document/?number_index__exact={number}")
    assert guessed.status_code in (302, 400)
    assert f"{url}/change/" not in text(auditor, f"/admin/kyc/document/?q={number}")


def test_answers_are_read_in_full_or_not_at_all(case):
    session = case.client.onboarding
    url = f"/admin/clients/onboardingsession/{session.pk}/change/"
    assert "36574261809" in text(desk("support"), url)
    assert "36574261809" not in text(desk("sales"), url)
    historian = with_history("sales", "historicalonboardingsession")
    assert "36574261809" not in text(historian, url.replace("change", "history"))


# Reveals


def reveal_url(person: Person, field: str = "email") -> str:
    return f"/admin/personal/clients.person/{person.pk}/{field}/"


def test_a_reveal_shows_one_field_once_and_is_written_down_with_its_purpose(case):
    person, sales = case.client.person, desk("sales")
    page = f"/admin/clients/client/{case.client_id}/change/"
    assert reveal_url(person) in text(sales, page)
    asked = sales.get(reveal_url(person))
    assert "lena@client.example" not in asked.content.decode()
    assert AuditRecord.objects.filter(action="personal.reveal").count() == 0

    told = sales.post(reveal_url(person), {"purpose": "call back about ticket 12"})
    assert "lena@client.example" in told.content.decode()
    assert "no-store" in told["Cache-Control"]
    record = AuditRecord.objects.get(action="personal.reveal")
    assert (record.subject_type, record.subject_id) == ("clients.Person", str(person.pk))
    assert (record.client_id, record.after) == (case.client_id, {"field": "email"})
    assert record.reason == "call back about ticket 12"
    assert "lena@client.example" not in text(sales, page)


def test_the_rate_of_reveals_is_seen_by_those_who_read_the_trail(case):
    actor = world.staff("sales")
    for field in ("email", "phone", "tax_id"):
        personal_reveal(subject=case.client.person, field=field, purpose="ticket 12", actor=actor)
    (rate,) = reveal_rates(world.staff("compliance"))
    assert (rate["actor_id"], rate["week"], rate["today"], rate["clients"]) == (actor.id, 3, 3, 1)
    home = text(desk("compliance"), "/admin/")
    assert "Personal data looked at" in home
    assert "Personal data looked at" not in text(desk("sales"), "/admin/")


def test_refused_reveals_tell_nothing_and_write_nothing(case):
    person = case.client.person
    far = world.staff(
        "sales", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="far@house.example"
    )
    sales = world.staff("sales")
    reveals = [
        (NotAllowed, person, "email", world.staff("dealing"), "ticket 12"),
        (NotVisible, person, "email", far, "ticket 12"),
        (NotVisible, person, "country", sales, "ticket 12"),
        (NotVisible, person, "id", sales, "ticket 12"),
        (NotAllowed, Document.objects.first(), "number", sales, "ticket 12"),
        (InvalidInput, person, "email", sales, "   x "),
    ]
    for error, subject, field, actor, purpose in reveals:
        with pytest.raises(error):
            personal_reveal(subject=subject, field=field, purpose=purpose, actor=actor)
    assert AuditRecord.objects.filter(action="personal.reveal").count() == 0


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("sales", "clients.person/{pk}/email/", 200),
        ("sales", "clients.person/{pk}/country/", 404),
        ("sales", "clients.person/{nobody}/email/", 404),
        ("sales", "clients.person/not-a-key/email/", 404),
        ("sales", "users.user/1/password/", 404),
        ("sales", "nothing.here/1/email/", 404),
        ("sales", "kyc.document/{nobody}/number/", 403),
        ("dealing", "clients.person/{pk}/email/", 403),
        ("dealing", "clients.person/{nobody}/email/", 403),
    ],
)
def test_the_reveal_page_opens_no_other_door(case, role, path, status):
    path = path.format(pk=case.client.person_id, nobody="00000000-0000-0000-0000-000000000000")
    browser = desk(role)
    assert browser.get(f"/admin/personal/{path}").status_code == status
    if status != 200:
        assert (
            browser.post(f"/admin/personal/{path}", {"purpose": "ticket 12"}).status_code == status
        )
    assert Client.objects.count() == 1
