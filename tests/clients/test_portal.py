"""The client's pages, as a browser meets them."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from apps.clients.models import AgreementAcceptance, Client
from apps.clients.services import restriction_add
from apps.core.models import AuditRecord
from apps.kyc.models import Document, KycCase

from . import world

pytestmark = pytest.mark.usefixtures("house")

FORM = {**world.REGISTRATION, "read": "on", "partner_code": ""}


def signed_in(client) -> Browser:
    browser = Browser()
    browser.force_login(world.user_of(client))
    return browser


def test_a_new_and_a_known_address_get_the_same_answer():
    browser = Browser()
    first = browser.post("/portal/register/", FORM)
    again = Browser().post("/portal/register/", {**FORM, "first_name": "Eve"})
    assert (first.status_code, first.url) == (again.status_code, again.url)
    assert first.url == "/portal/register/mail/"
    assert Client.objects.count() == 1
    page = browser.get(first.url).content.decode()
    assert "lena@client.example" in page


def test_the_partners_link_fills_in_the_code():
    page = Browser().get("/portal/register/?ref=IVY-7").content.decode()
    assert 'value="IVY-7"' in page


def test_what_one_must_have_read_can_be_read_before_registering():
    page = Browser().get("/portal/notices/").content.decode()
    for text in ("Broker OS Europe Ltd", "74.30 %", "Privacy notice", "Risk disclosure"):
        assert text in page
    assert "/portal/notices/" in Browser().get("/portal/register/").content.decode()


def test_a_wrong_phone_is_shown_where_it_stands():
    response = Browser().post("/portal/register/", {**FORM, "phone": "12"})
    assert response.status_code == 422
    assert "not a phone number that can be reached" in response.content.decode()
    assert Client.objects.count() == 0


def test_opening_the_link_changes_nothing_until_the_button_is_pressed():
    client = world.register()
    url = f"/portal/confirm/{world.token_of(client)}/"
    browser = Browser()
    assert browser.get(url).status_code == 200
    assert world.again(client).lifecycle == "REGISTERED"
    assert browser.post(url).url == "/portal/login/"
    assert world.again(client).lifecycle == "ONBOARDING"
    assert browser.post(url).status_code == 422


def test_an_unconfirmed_login_does_not_open():
    world.register()
    response = Browser().post(
        "/portal/login/", {"username": "lena@client.example", "password": world.PASSWORD}
    )
    assert response.status_code == 200
    assert "sessionid" not in response.cookies


def test_guessing_is_slowed_down_for_the_address_and_not_for_others():
    world.confirmed()
    world.confirmed(email="omar@x.example", country="BR", phone="")
    browser = Browser()
    for _try in range(8):
        browser.post("/portal/login/", {"username": "lena@client.example", "password": "guess"})
    right = {"username": "lena@client.example", "password": world.PASSWORD}
    page = browser.post("/portal/login/", right)
    assert "Too many tries" in page.content.decode()
    other = browser.post(
        "/portal/login/", {"username": "omar@x.example", "password": world.PASSWORD}
    )
    assert other.status_code == 302


def test_no_login_closes_the_door_and_the_session_that_is_open():
    client = world.confirmed()
    browser = signed_in(client)
    assert browser.get("/portal/profile/").status_code == 200
    restriction_add(client_id=client.id, kind="no_login", reason="stolen phone", actor=world.SYSTEM)
    assert browser.get("/portal/profile/").status_code == 302
    page = Browser().post(
        "/portal/login/", {"username": "lena@client.example", "password": world.PASSWORD}
    )
    assert "closed at the moment" in page.content.decode()


def test_the_questions_lead_from_page_to_page_to_the_documents():
    client = world.confirmed()
    browser = signed_in(client)
    page = browser.get("/portal/application/", follow=True)
    for _step in range(6):
        code = page.redirect_chain[-1][0].rstrip("/").rsplit("/", 1)[-1]
        page = browser.post(
            f"/portal/application/{code}/", world.answers_for(client, code), follow=True
        )
    assert page.redirect_chain[-1][0] == "/portal/application/review/"
    assert "Lindenweg 4" in page.content.decode()
    done = browser.post("/portal/application/review/")
    assert done.url == "/portal/verification/"
    assert AgreementAcceptance.objects.filter(client=client).count() == 4
    assert browser.get("/portal/application/").status_code == 200


def test_a_refused_answer_stands_with_its_reason_and_staff_see_it():
    client = world.answered(until="tax")
    response = signed_in(client).post(
        "/portal/application/tax/", {**world.ANSWERS["tax"], "tax_id": "1"}
    )
    assert response.status_code == 422
    assert "not a tax number" in response.content.decode()
    assert 'value="1"' in response.content.decode()
    assert world.again(client).onboarding.last_problem == "tax: tax_id"


def test_a_question_appears_when_the_answer_before_asks_for_it():
    client = world.answered(until="tax")
    browser = signed_in(client)
    without = browser.post("/portal/application/tax/fields/", {"has_tax_id": ""})
    with_id = browser.post("/portal/application/tax/fields/", {"has_tax_id": "yes"})
    assert "id_tax_id" not in without.content.decode().replace("id_has_tax_id", "")
    assert 'name="tax_id"' in with_id.content.decode()


def test_documents_go_up_are_refused_with_reason_and_are_handed_in():
    client = world.applicant()
    browser = signed_in(client)
    assert "Send a document" in browser.get("/portal/verification/").content.decode()

    def send(content: bytes, name: str, evidence: str = "POI", kind: str = "PASSPORT"):
        return browser.post(
            f"/portal/verification/upload/{evidence}/",
            {
                f"{evidence}-kind": kind,
                f"{evidence}-expires_on": "2031-01-01",
                f"{evidence}-issued_on": "2026-11-01",
                f"{evidence}-front": SimpleUploadedFile(name, content, "image/jpeg"),
            },
        )

    refused = send(b"MZ", "passport.jpg")
    assert refused.status_code == 422
    assert "Please send a photo" in refused.content.decode()
    assert Document.objects.count() == 0
    assert send(world.picture(), "passport.jpg").status_code == 302
    bill = world.picture(colour="green")
    assert send(bill, "bill.jpg", "POA", "UTILITY_BILL").status_code == 302
    browser.post("/portal/verification/submit/")
    assert KycCase.objects.get().state == "MANUAL_REVIEW"
    assert "Your documents are with us" in browser.get("/portal/verification/").content.decode()


def test_my_document_is_mine_alone():
    ana = world.confirmed()
    from tests.kyc import story

    document = story.send(ana)
    url = f"/portal/verification/document/{document.id}/"
    response = signed_in(ana).get(url)
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]
    omar = world.confirmed(email="omar@x.example", country="BR", phone="")
    assert signed_in(omar).get(url).status_code == 404
    assert Browser().get(url).status_code == 302
    assert AuditRecord.objects.filter(action="document.view").count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "/portal/application/",
        "/portal/application/personal/",
        "/portal/application/review/",
        "/portal/profile/",
        "/portal/agreements/",
        "/portal/verification/",
    ],
)
def test_pages_of_clients_need_a_client(url):
    assert Browser().get(url).url.startswith("/portal/login/")
    staff = Browser()
    staff.force_login(world.staff_user("compliance"))
    assert staff.get(url).url == "/portal/"


@pytest.mark.parametrize("state", ["REGISTERED", "ONBOARDING", "ACTIVE", "REJECTED", "CLOSED"])
def test_every_page_opens_in_every_state(state):
    client = world.applicant()
    Client.objects.filter(pk=client.pk).update(lifecycle=state)
    browser = signed_in(client)
    for url in ("application", "profile", "agreements", "verification"):
        assert browser.get(f"/portal/{url}/", follow=True).status_code == 200


def test_an_escalated_case_looks_like_any_other_to_the_client():
    from tests.kyc import story

    case = story.submitted()
    browser = signed_in(case.client)
    calm = browser.get("/portal/verification/").content.decode()
    KycCase.objects.update(state="ESCALATED")
    Client.objects.update(kyc_status="ESCALATED")

    def plain(page: str) -> str:
        return re.sub(
            r'(name="csrfmiddlewaretoken" value|name="csrf-token" content)="\w+"', "", page
        )

    assert plain(browser.get("/portal/verification/").content.decode()) == plain(calm)
    assert "scalated" not in browser.get("/portal/profile/").content.decode()
