"""What is believed of a message, and what is not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser
from standardwebhooks.webhooks import Webhook

from apps.core import clock
from apps.core.models import AuditRecord
from apps.payments.models import WebhookReceipt
from apps.users.roles import load_roles
from tests.clients import world as clients
from tests.payments.world import HOOK, ana, asks_to_deposit, traces, wallet


@pytest.fixture
def sign(house, settings):
    """Makes a message as the provider would, with one thing changed."""

    def signed(body: bytes, *, secret: str = "", at: datetime | None = None, event: str = "evt_1"):
        at = at or clock.now()
        key = secret or settings.PAYMENT_PROVIDERS["psp-sim"]["webhook_secrets"][0]
        return {
            "webhook-id": event,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(key).sign(event, at, body.decode("latin-1")),
        }

    return signed


def knock(body: bytes, headers: dict[str, str], hook: str = HOOK) -> int:
    return Browser().post(hook, body, content_type="application/json", headers=headers).status_code


def message(object_id: str = "pay_unknown", type_: str = "payment.succeeded") -> bytes:
    return json.dumps({"type": type_, "data": {"id": object_id}}).encode()


def test_an_authentic_message_is_stored_byte_for_byte_and_answered_at_once(sign):
    body = message()
    assert knock(body, sign(body)) == 204

    receipt = WebhookReceipt.objects.get()
    assert bytes(receipt.raw) == body
    assert (receipt.event_id, receipt.event_type) == ("evt_1", "payment.succeeded")


def test_the_same_event_again_is_the_same_receipt(sign):
    body = message()
    headers = sign(body)
    assert [knock(body, headers) for _ in range(3)] == [204, 204, 204]
    assert WebhookReceipt.objects.count() == 1


def test_a_message_names_the_payer_only_to_those_who_may_read_it_and_to_others_on_record(sign):
    body = json.dumps(
        {"type": "payment.succeeded", "data": {"id": "pay_unknown", "holder": "Ana Souza"}}
    ).encode()
    assert knock(body, sign(body)) == 204
    load_roles()
    receipt = WebhookReceipt.objects.get()
    url = f"/admin/payments/webhookreceipt/{receipt.pk}/change/"
    reveal = f"/admin/personal/payments.webhookreceipt/{receipt.pk}/raw/"

    def page(role: str) -> Browser:
        browser = Browser()
        browser.force_login(clients.staff_user(role))
        return browser

    assert "Ana Souza" in page("compliance").get(url).content.decode()
    for role in ("finance", "auditor"):
        text = page(role).get(url).content.decode()
        assert "evt_1" in text
        assert "Souza" not in text
    finance = page("finance")
    assert reveal in finance.get(url).content.decode()
    shown = finance.post(reveal, {"purpose": "the payer asks where it is"}).content.decode()
    assert "Ana Souza" in shown
    look = AuditRecord.objects.get(action="personal.reveal")
    assert (look.after, look.reason) == ({"field": "raw"}, "the payer asks where it is")


OTHER = "whsec_b3RoZXIgc2VjcmV0IHRoYXQgaXMgbm90IG91cnM="


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("another secret", lambda sign, body: sign(body, secret=OTHER)),
        ("too old", lambda sign, body: sign(body, at=clock.now() - timedelta(seconds=302))),
        (
            "from the future",
            lambda sign, body: sign(body, at=clock.now() + timedelta(seconds=302)),
        ),
        ("signed for another body", lambda sign, body: sign(b"{}")),
        ("signed for another event", lambda sign, body: sign(body) | {"webhook-id": "evt_2"}),
        ("no signature", lambda sign, body: {"webhook-id": "evt_1", "webhook-timestamp": "1"}),
        ("no headers", lambda sign, body: {}),
        ("garbage", lambda sign, body: sign(body) | {"webhook-signature": "v1,%%% v1 ,,"}),
    ],
)
def test_a_forged_message_is_refused_and_leaves_nothing(sign, name, change):
    body = message()
    before = traces()

    assert knock(body, change(sign, body)) == 401

    assert WebhookReceipt.objects.count() == 0
    assert traces() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xff\xfe not utf-8", 401),
        (b"[" * 5000 + b"]" * 5000, 422),
        (b"{}", 422),
        (b"not json", 422),
        (b'{"type":"payment.succeeded","data":[]}', 422),
        (b'{"type":"x","data":{"id":"' + b"9" * 70_000 + b'"}}', 401),
    ],
)
def test_a_message_that_cannot_be_read_is_refused_and_leaves_nothing(sign, body, status):
    assert knock(body, sign(body)) == status
    assert WebhookReceipt.objects.count() == 0


def test_a_provider_that_we_do_not_have_is_not_found(sign):
    body = message()
    assert knock(body, sign(body), "/hooks/payments/nobody/") == 404
    assert knock(body, sign(body), "/hooks/payments/nobody/") == 404
    assert WebhookReceipt.objects.count() == 0


def test_a_rotated_secret_is_accepted_beside_the_new_one(sign, settings):
    configured = settings.PAYMENT_PROVIDERS["psp-sim"]
    old = configured["webhook_secrets"][0]
    settings.PAYMENT_PROVIDERS = {"psp-sim": {**configured, "webhook_secrets": [OTHER, old]}}
    body = message()
    assert knock(body, sign(body, secret=old)) == 204
    assert knock(body, sign(body, secret=OTHER, event="evt_2")) == 204


def test_a_true_message_about_money_that_the_provider_denies_credits_nothing(house, sign):
    """Someone who stole the secret still has to convince the provider."""
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    payment = deposit.attempts.get().provider_payment_id
    body = message(payment)
    assert knock(body, sign(body)) == 204
    house.knocks()

    assert wallet(client) == ("0.00", "0.00")
    assert WebhookReceipt.objects.get().outcome.outcome == "NO_CHANGE"


def test_a_get_is_not_a_message(sign):
    assert Browser().get(HOOK).status_code == 405
