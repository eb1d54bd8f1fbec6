"""Staff's pages and the REST interface: scope, masks, dialogs."""

from __future__ import annotations

import json

import pytest
from django.test import Client as Browser

from apps.clients.models import Client, DuplicateFlag, Restriction
from apps.clients.selectors import client_restrictions
from apps.clients.services.duplicates import duplicate_dismiss
from apps.core.actor import ScopeLevel
from apps.core.errors import NotVisible
from apps.core.panels import queues_for
from apps.kyc.models import Document, KycCase
from tests.kyc import story

from . import world

pytestmark = pytest.mark.usefixtures("house")


def desk(role: str, **fields) -> Browser:
    browser = Browser()
    browser.force_login(world.staff_user(role, **fields))
    return browser


def page(browser: Browser, url: str) -> str:
    response = browser.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def test_the_clients_page_tells_all_and_masks_for_those_who_need_less():
    case = story.submitted()
    url = f"/admin/clients/client/{case.client_id}/change/"
    full = page(desk("compliance"), url)
    for text in ("Lena Vogel", "lena@client.example", "Lindenweg 4", "kyc.submit", "In review"):
        assert text in full
    less = page(desk("sales"), url)
    assert "l•••@client.example" in less
    assert "Lindenweg" not in less
    assert "36574261809" not in less


def test_lists_open_for_those_who_may_and_no_further():
    story.submitted()
    world.register(email="two@x.example")
    lists = (
        "client",
        "restriction",
        "onboardingsession",
        "duplicateflag",
        "legalentity",
        "agreement",
    )
    compliance = desk("compliance")
    for name in lists:
        page(compliance, f"/admin/clients/{name}/")
    for name in ("kyccase", "document"):
        page(compliance, f"/admin/kyc/{name}/")
    sales = desk("sales")
    assert sales.get("/admin/kyc/document/").status_code == 403
    assert sales.get("/admin/clients/duplicateflag/").status_code == 403


def test_staff_of_one_company_do_not_see_the_others_clients():
    case = story.submitted()
    elsewhere = desk(
        "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="int@house.example"
    )
    document = Document.objects.filter(case=case).first()
    assert "Vogel" not in page(elsewhere, "/admin/clients/client/")
    for url in (
        f"/admin/clients/client/{case.client_id}/change/",
        f"/admin/kyc/kyccase/{case.id}/change/",
        f"/admin/kyc/document/{document.id}/change/",
    ):
        assert elsewhere.get(url).status_code in (302, 404)
    assert elsewhere.get(f"/admin/kyc/document/{document.id}/file/").status_code == 404
    assert elsewhere.get(f"/admin/kyc/kyccase/{case.id}/do/claim/").status_code == 404


def test_a_restriction_is_set_and_lifted_in_dialogs():
    client = world.confirmed()
    browser = desk("compliance")
    url = f"/admin/clients/client/{client.id}/do/restrict/"
    assert "Who may lift it" in page(browser, url)
    values = {"kind": "no_withdrawal", "lift_by": "COMPLIANCE", "reason": "third party card"}
    assert browser.post(url, values).status_code == 302
    assert client_restrictions(client.id) == {"no_withdrawal"}
    restriction = Restriction.objects.get()

    finance = desk("finance")
    lift = f"/admin/clients/restriction/{restriction.id}/do/lift/"
    refused = finance.post(lift, {"reason": "looks fine"})
    assert refused.status_code == 403
    assert "RESTRICTION_NOT_YOURS" in refused.content.decode()
    assert client_restrictions(client.id) == {"no_withdrawal"}
    assert browser.post(lift, {"reason": "card is the client's"}).url.endswith(
        f"/admin/clients/client/{client.id}/change/"
    )
    assert client_restrictions(client.id) == set()


def test_a_review_from_the_queue_to_the_active_client():
    case = story.submitted()
    browser = desk("compliance")
    base = f"/admin/kyc/kyccase/{case.id}"
    assert browser.get("/admin/kyc/kyccase/next/").url == f"{base}/change/"
    assert "Take this case" in page(browser, f"{base}/change/")
    assert browser.post(f"{base}/do/approve/", {"reason": "too soon"}).status_code == 409
    browser.post(f"{base}/do/claim/")
    review = page(browser, f"{base}/change/")
    assert "The file was not sent for another client" in review
    for document in Document.objects.filter(case=case):
        assert f"/admin/kyc/document/{document.id}/file/" in review
        image = browser.get(f"/admin/kyc/document/{document.id}/file/")
        assert image["Content-Type"] == "image/jpeg"
        browser.post(f"/admin/kyc/document/{document.id}/do/accept/", {"number": "C01X00T47"})
    assert browser.post(f"{base}/do/approve/", {"reason": "all fits"}).status_code == 302
    assert world.again(case).state == "APPROVED"
    assert Client.objects.get().lifecycle == "ACTIVE"
    assert browser.get("/admin/kyc/kyccase/next/").url == "/admin/kyc/kyccase/"


def test_the_inbox_holds_reviews_duplicates_and_those_who_are_stuck():
    story.submitted()
    twin = world.confirmed(email="two@x.example")
    browser = Browser()
    browser.force_login(world.user_of(twin))
    for _try in range(3):
        browser.post("/portal/application/personal/", {})
    inbox = {queue.code: len(rows) for queue, rows in queues_for(world.staff("compliance"))}
    assert inbox["kyc.review"] == 1
    assert inbox["clients.duplicates"] == DuplicateFlag.objects.count() == 1
    assert inbox["clients.stuck"] == 1


def test_a_pair_is_shown_and_decided_by_those_alone_who_see_both_clients():
    ours = world.confirmed()
    theirs = world.confirmed(email="two@x.example", country="BR")
    assert ours.entity_id != theirs.entity_id
    flag = DuplicateFlag.objects.get()
    for number, client in enumerate((ours, theirs)):
        narrow = {"scope": ScopeLevel.ENTITY, "entities": [client.entity.code]}
        browser = desk("compliance", email=f"one{number}@house.example", **narrow)
        assert str(flag.pk) not in page(browser, "/admin/clients/duplicateflag/")
        url = f"/admin/clients/duplicateflag/{flag.pk}/"
        assert browser.get(f"{url}change/").status_code in (302, 404)
        actor = world.staff("compliance", email=f"two{number}@house.example", **narrow)
        assert {q.code: len(rows) for q, rows in queues_for(actor)}["clients.duplicates"] == 0
        with pytest.raises(NotVisible):
            duplicate_dismiss(flag_id=flag.pk, actor=actor, reason="two people")
        assert DuplicateFlag.objects.get().state == "OPEN"
    assert str(flag.pk) in page(desk("compliance"), "/admin/clients/duplicateflag/")


def call(browser: Browser, url: str, body: dict | None = None, key: str = "key-00000001"):
    if body is None:
        return browser.get(f"/api/v1/{url}")
    return browser.post(
        f"/api/v1/{url}",
        json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def test_the_interface_shows_a_client_themselves_and_nobody_else():
    ana = world.confirmed()
    omar = world.confirmed(email="omar@x.example", country="BR", phone="")
    browser = Browser()
    browser.force_login(world.user_of(ana))
    assert [row["id"] for row in call(browser, "clients/").json()["results"]] == [str(ana.id)]
    assert call(browser, f"clients/{omar.id}/").status_code == 404
    mine = call(browser, f"clients/{ana.id}/").json()
    assert mine["personal"]["email"] == "lena@client.example"
    assert (mine["risk_rating"], mine["kyc_status"]) == ("", "NOT_STARTED")
    assert len(call(browser, "agreements/").json()["results"]) == 4
    assert call(Browser(), "clients/").status_code == 401


def test_a_restriction_over_the_interface_is_made_once_and_its_reason_stays_inside():
    client = world.confirmed()
    body = {"client_id": str(client.id), "kind": "no_deposit", "reason": "chargebacks"}
    browser = desk("compliance")
    first = call(browser, "restrictions/", body)
    again = call(browser, "restrictions/", body)
    assert (first.status_code, again.json()) == (201, first.json())
    assert Restriction.objects.count() == 1
    mine = Browser()
    mine.force_login(world.user_of(client))
    assert call(mine, "restrictions/").json()["results"] == []
    assert call(mine, "restrictions/", body, key="key-00000002").status_code == 403
    assert call(mine, f"clients/{client.id}/").json()["restrictions"] == ["no_deposit"]
    lifted = call(
        browser, f"restrictions/{first.json()['id']}/lift/", {"reason": "settled"}, "key-00000003"
    )
    assert lifted.json()["in_force"] is False


def test_cases_and_documents_over_the_interface():
    case = story.submitted()
    KycCase.objects.update(state="ESCALATED")
    noted = KycCase.objects.get()
    noted.internal_comment = "secret"
    noted.save_as(world.SYSTEM, "noted")
    browser = Browser()
    browser.force_login(world.user_of(case.client))
    told = call(browser, f"kyc/cases/{case.id}/").json()
    assert told["state"] == "MANUAL_REVIEW"
    assert "secret" not in json.dumps(told)
    documents = call(browser, "kyc/documents/").json()["results"]
    assert {row["kind"] for row in documents} == {"PASSPORT", "UTILITY_BILL"}
    file = call(browser, f"kyc/documents/{documents[0]['id']}/file/")
    assert file["Content-Type"] == "image/jpeg"
    other = world.confirmed(email="omar@x.example", country="BR", phone="")
    stranger = Browser()
    stranger.force_login(world.user_of(other))
    assert call(stranger, f"kyc/cases/{case.id}/").status_code == 404
    assert call(stranger, f"kyc/documents/{documents[0]['id']}/file/").status_code == 404
