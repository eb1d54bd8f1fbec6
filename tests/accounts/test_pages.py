"""A client's account pages and the account API, as they are used."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.accounts.models import TradingAccount
from apps.clients.models import ClientLogin
from apps.users.models import Role
from apps.users.roles import load_roles

from .world import SYSTEM, client_of, opens


@pytest.fixture
def signed_in(client):
    def sign(person):
        user = get_user_model().objects.create_user(
            f"{person.number}@x.example", "a-long-password-1"
        )
        user.groups.add(Role.objects.get(name="client"))
        ClientLogin(user=user, client=person).save_as(SYSTEM, "test")
        client.force_login(user)
        return client

    load_roles()
    return sign


def test_ana_opens_an_account_on_screen_and_changes_its_leverage(house, signed_in, deliver_outbox):
    browser = signed_in(client_of())
    offers = browser.get(reverse("portal:accounts-open")).content.decode()
    assert "1:30" in offers
    assert "Raw netting" in offers
    address = reverse("portal:accounts-open-type", args=["eu-standard"])
    assert "1:50" not in browser.get(address).content.decode()
    form = {"currency": "EUR", "leverage": "30", "submission_key": "one-press"}
    opened = browser.post(address, form)
    browser.post(address, form)
    deliver_outbox()

    account = TradingAccount.objects.get()
    assert opened.headers["Location"] == reverse("portal:accounts-account", args=[account.id])
    assert account.login in browser.get(reverse("portal:accounts-list")).content.decode()
    assert browser.get(opened.headers["Location"]).status_code == 200

    change = reverse("portal:accounts-leverage", args=[account.id])
    assert browser.post(change, {"leverage": "50"}).status_code == 422
    assert browser.post(change, {"leverage": "10"}).status_code == 302
    deliver_outbox()
    assert TradingAccount.objects.get().leverage == 10


def test_somebody_elses_account_is_not_found(house, signed_in, deliver_outbox):
    foreign = opens(client_of())
    browser = signed_in(client_of())
    for name in ("accounts-account", "accounts-leverage"):
        assert browser.get(reverse(f"portal:{name}", args=[foreign.id])).status_code == 404
    assert browser.get(f"/api/v1/accounts/{foreign.id}/").status_code == 404


def test_over_rest_one_idempotency_key_opens_one_account(house, signed_in):
    person = client_of()
    browser = signed_in(person)
    asked = {
        "client_id": str(person.id), "account_type": "eu-standard", "currency": "EUR", "leverage": 30,
    }  # fmt: skip

    def post(key: str, **changes):
        return browser.post(
            "/api/v1/accounts/",
            asked | changes,
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    first, again = post("one-account"), post("one-account")
    assert (first.status_code, first.json()["state"]) == (201, "PROVISIONING")
    assert again.json() == first.json()
    refused = post("another-key", leverage=50)
    assert (refused.status_code, refused.json()["code"]) == (422, "LEVERAGE_ABOVE_CAP")
    assert post("third-one-key", leverage="much").status_code == 400
    assert TradingAccount.objects.count() == 1
    assert browser.get("/api/v1/accounts/").json()["results"][0]["id"] == first.json()["id"]
