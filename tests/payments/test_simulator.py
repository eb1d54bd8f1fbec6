"""The provider outside: its page for people, its books after a restart, its key."""

from __future__ import annotations

import httpx
import pytest

from apps.payments.adapters import simulator

KEY = {"Authorization": "Bearer demo-simulators"}
ASKED = {
    "reference": "ours-1",
    "amount": "25.00",
    "currency": "EUR",
    "method": "CARD",
    "payer": "Ana <b>Lopez</b>",
    "return_url": "http://127.0.0.1/back",
}


def started(home):
    server = simulator.start(port=0, home=home, working=False)
    return server, f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def provider(tmp_path):
    server, address = started(tmp_path)
    yield address
    server.shutdown()


def made(address: str) -> dict:
    return httpx.post(f"{address}/v1/payments", json=ASKED, headers=KEY).json()


def status(address: str, payment: dict) -> str:
    answer = httpx.get(f"{address}/v1/payments/{payment['id']}", headers=KEY)
    return answer.json()["status"]


def test_a_person_sees_a_page_that_fits_a_telephone_and_escapes_what_it_was_told(provider):
    page = httpx.get(made(provider)["hosted_url"]).text
    assert "25.00 EUR" in page
    assert 'name="viewport"' in page
    assert "<b>Lopez</b>" not in page


@pytest.mark.parametrize(
    ("action", "becomes", "words"),
    [
        ("pay", "succeeded", "Payment received"),
        ("decline", "failed", "declined"),
        ("cancel", "canceled", "canceled"),
    ],
)
def test_a_person_pays_declines_or_gives_up(provider, action, becomes, words):
    payment = made(provider)
    answer = httpx.post(
        payment["hosted_url"], data={"action": action, "holder": "Ana", "card": "4"}
    )

    assert words in answer.text
    assert "http://127.0.0.1/back" in answer.text
    assert status(provider, payment) == becomes


def test_who_pays_twice_has_paid_once(provider):
    payment = made(provider)
    for action in ("pay", "pay", "cancel"):
        httpx.post(payment["hosted_url"], data={"action": action})
    assert status(provider, payment) == "succeeded"


def test_a_reference_is_done_once_and_never_for_another_amount(provider):
    assert made(provider)["id"] == made(provider)["id"]
    other = httpx.post(f"{provider}/v1/payments", json=ASKED | {"amount": "26.00"}, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (409, "REFERENCE_REUSED")


def test_a_killed_provider_comes_back_with_all_it_knew(tmp_path):
    server, address = started(tmp_path)
    payment = made(address)
    httpx.post(payment["hosted_url"], data={"action": "pay"})
    waiting = server.provider.store.waiting_messages()
    server.shutdown()

    server, address = started(tmp_path)
    assert status(address, payment) == "succeeded"
    assert server.provider.store.waiting_messages() == waiting == 2
    server.shutdown()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}])
def test_the_api_wants_its_key(provider, headers):
    assert httpx.post(f"{provider}/v1/payments", json=ASKED, headers=headers).status_code == 401
    assert (
        httpx.post(f"{provider}/faults", json={"kind": "drop"}, headers=headers).status_code == 401
    )


@pytest.mark.parametrize("change", [{"amount": "-1"}, {"amount": "x"}, {"reference": ""}])
def test_wrong_input_is_refused(provider, change):
    answer = httpx.post(f"{provider}/v1/payments", json=ASKED | change, headers=KEY)
    assert answer.status_code == 422
