"""The same money through the portal and through the API."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from apps.clients.models import ClientLogin
from apps.core.actor import Actor
from apps.payments.models import Deposit, PaymentInstrument, Withdrawal
from tests.payments.world import ana, deposited, fresh, wallet

PASSWORD = "correct-horse-battery-9"


@pytest.fixture
def client(house):
    person = ana()
    deposited(house, person, "1000.00")
    return person


@pytest.fixture
def browser(client, db):
    from django.core.management import call_command

    from apps.users.models import Role

    call_command("load_roles")
    user = get_user_model().objects.create_user(f"{client.number}@client.example", PASSWORD)
    user.groups.add(Role.objects.get(name="client"))
    ClientLogin(user=user, client=client).save_as(Actor.system("tests"), "test")
    browser = Browser()
    browser.force_login(user)
    return browser


PAGES = ("wallets", "deposit", "withdraw", "withdraw/bank-account", "transfer", "history")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_money_opens(browser, page):
    assert browser.get(f"/portal/{page}/").status_code == 200


def test_depositing_leads_to_the_providers_page_once(browser, client):
    form = {"way": "CARD:USD", "amount": "75.50", "submission_key": "one-press"}
    answers = [browser.post("/portal/deposit/", form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url
    assert "/pay/pay_" in answers[0].url
    assert Deposit.objects.filter(client=client, amount_minor=7550).count() == 1


def test_coming_back_from_the_provider_shows_what_the_provider_has(browser, client, house):
    browser.post("/portal/deposit/", {"way": "CARD:USD", "amount": "75.50", "submission_key": "k"})
    deposit = Deposit.objects.get(client=client, amount_minor=7550)
    house.pays(deposit)

    answer = browser.get(f"/portal/deposit/{deposit.pk}/?back=1", follow=True)

    assert answer.status_code == 200
    assert fresh(deposit).credit == "CREDITED"
    assert "In your wallet" in answer.content.decode()


def test_a_refusal_is_a_sentence_on_the_form(browser, client):
    card = PaymentInstrument.objects.get(client=client)
    form = {"destination": card.pk, "currency": "USD", "amount": "5000", "submission_key": "k"}
    answer = browser.post("/portal/withdraw/", form)

    assert answer.status_code == 422
    assert "1,000.00 USD is free in this wallet" in answer.content.decode()
    assert Withdrawal.objects.count() == 0


def test_a_double_clicked_withdrawal_is_one_and_can_be_canceled(browser, client):
    card = PaymentInstrument.objects.get(client=client)
    form = {"destination": card.pk, "currency": "USD", "amount": "60", "submission_key": "once"}
    for _ in range(2):
        assert browser.post("/portal/withdraw/", form).status_code == 302
    row = Withdrawal.objects.get()
    assert wallet(client) == ("1000.00", "940.00")

    page = browser.get(f"/portal/withdraw/{row.pk}/").content.decode()
    assert "Waiting for approval" in page
    browser.post(f"/portal/withdraw/{row.pk}/cancel/", {"reason": ""})
    assert wallet(client) == ("1000.00", "1000.00")


def test_what_belongs_to_somebody_else_is_not_there(browser, client, house):
    other = deposited(house, ana(), "100.00")
    assert browser.get(f"/portal/deposit/{other.pk}/").status_code == 404
    assert browser.get(f"/api/v1/deposits/{other.pk}/").status_code == 404
    assert browser.get(f"/api/v1/wallets/?client={other.client_id}").json() == []


def test_the_api_shows_wallets_and_holds_money_once_per_key(browser, client):
    card = PaymentInstrument.objects.get(client=client)
    body = {
        "client": str(client.pk),
        "destination": str(card.pk),
        "currency": "USD",
        "amount": "60",
    }

    def post(key: str, **changes: str):
        return browser.post(
            "/api/v1/withdrawals/", body | changes, content_type="application/json",
            headers={"Idempotency-Key": key},
        )  # fmt: skip

    first, again, other = (
        post("key-00000001"),
        post("key-00000001"),
        post("key-00000001", amount="61"),
    )

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    row = browser.get(f"/api/v1/wallets/?client={client.pk}").json()[0]
    assert (row["currency"], float(row["held"]), float(row["available"])) == ("USD", 60.0, 940.0)
    assert Withdrawal.objects.count() == 1


def test_the_api_refuses_without_a_key_and_explains(browser, client):
    body = {"client": str(client.pk), "method": "CARD", "currency": "USD", "amount": "60"}
    answer = browser.post("/api/v1/deposits/", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["code"] == "INVALID_INPUT"
    assert Deposit.objects.filter(amount_minor=6000).count() == 0
