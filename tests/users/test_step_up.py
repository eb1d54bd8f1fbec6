"""Acts with money or power ask once more who sits there, lead there and back, and lose nothing that was typed."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib import admin
from django.test import Client as Browser
from django.test import RequestFactory

from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.approvals import EFFECTS, approval_request, approves, seen_of
from apps.core.errors import StepUpRequired
from apps.core.models import Approval, AuditRecord
from apps.core.permissions import REGISTRY, VOTE_APPROVAL
from apps.risk.services import kill_switch_rearm_request
from apps.users.models import User
from tests.clients import world
from tests.users.test_sign_in_policy import KEY, SECRET, age, inside, staff

WITH_POWER = {
    "users.approve_access",
    "users.request_access",
    "users.grant_any",
    "users.manage_staff",
    "ib.manage_plans",
    "core.apply_config",
    "core.approve_config",
    "core.change_approval_policy",
    "core.emergency_execute",
    "core.manage_delegations",
    "core.vote_approval",
    "ib.approve_payout",
    "ib.prepare_payout",
    "ib.reverse_accrual",
    "ledger.close_period",
    "ledger.correct_entry",
    "payments.approve_withdrawal",
    "payments.configure_provider",
    "payments.decide_deposit",
    "payments.reject_withdrawal",
    "payments.request_withdrawal",
    "payments.resolve_payout",
    "payments.resolve_suspense",
    "payments.retry_transfer",
    "rules.publish_rules",
    "users.reset_access",
}
STALE_CHIEF = Actor(
    ActorKind.STAFF, "user:1", "Chief", 1, frozenset(REGISTRY), Scope(ScopeLevel.ALL), fresh=False
)


def test_everything_that_moves_money_or_grants_power_is_marked() -> None:
    assert {code for code in WITH_POWER if not REGISTRY[code].step_up} == set()


GUARDED = [
    pytest.param(page, transition, id=f"{page.opts.label}.{transition.code}")
    for page in admin.site._registry.values()
    for transition in getattr(page, "transitions", ())
    if transition.needs_proof
]


def test_the_sweep_below_is_not_empty() -> None:
    swept = {param.id for param in GUARDED}
    assert {"core.Approval.approve", "core.Approval.reject", "risk.KillSwitch.rearm"} <= swept
    assert any(
        str(param.values[1].permission) == "payments.approve_withdrawal" for param in GUARDED
    )


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("page", "transition"), GUARDED)
def test_every_dialog_with_power_asks_before_it_opens_and_before_it_acts(
    page: Any, transition: Any, method: str
) -> None:
    request = getattr(RequestFactory(), method)("/")
    request.actor = STALE_CHIEF
    with (
        patch.object(page, "get_object", return_value=object()),
        patch.object(type(page), "run_transition") as run,
        pytest.raises(StepUpRequired),
    ):
        page.transition_view(request, "1", transition.code)
    run.assert_not_called()


def test_stopping_trade_is_free_and_letting_it_go_on_is_not() -> None:
    assert not REGISTRY["orders.set_kill_switch"].step_up
    with pytest.raises(StepUpRequired):
        kill_switch_rearm_request.__wrapped__(
            kill_switch_id=uuid4(), actor=STALE_CHIEF, reason="calm again"
        )


@pytest.fixture
def pending(db: None) -> Approval:
    if "tests.nothing" not in EFFECTS:
        approves("tests.nothing")(lambda approval, *, actor: None)
    maker = Actor.system("maker")
    return approval_request(
        action="tests.nothing", title="Nothing", payload={}, permission=VOTE_APPROVAL, actor=maker,
        reason="to see",
    )  # fmt: skip


@pytest.fixture
def otto(db: None) -> User:
    return staff("otto", "admin")


@pytest.fixture
def house(db: None, settings: Any, tmp_path: Any) -> Any:
    with world.open_house(settings, tmp_path / "vault"):
        yield


def next_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["next"][0]


def test_the_way_there_and_back_keeps_what_was_typed(pending: Approval, otto: User) -> None:
    browser = inside(otto)
    age(browser, fresh_at=16)
    dialog = f"/admin/core/approval/{pending.pk}/do/approve/"
    before = browser.session.session_key

    typed = {"reason": "I looked at every line of it", "expected": seen_of(pending)}
    asked = browser.post(dialog, typed)
    assert asked["Location"].startswith("/account/confirm/?next=")
    assert not pending.votes.exists()

    back = next_of(asked["Location"])
    wrong = browser.post("/account/confirm/", {"method": "password", "password": "x", "next": back})
    assert wrong.status_code == 422
    answer = browser.post(
        "/account/confirm/", {"method": "password", "password": SECRET, "next": back}
    )
    assert answer["Location"] == back
    assert "I looked at every line of it" in browser.get(back).content.decode()
    assert "I looked at every line of it" not in browser.get(back).content.decode(), (
        "given out once"
    )
    assert browser.session.session_key != before
    assert AuditRecord.objects.get(action="login.step_up").after == {"method": "password"}

    browser.post(dialog, typed)
    assert pending.votes.get().reason == "I looked at every line of it"


def test_a_dialog_that_a_script_fetched_is_told_where_to_go(pending: Approval, otto: User) -> None:
    browser = inside(otto)
    age(browser, fresh_at=16)
    dialog = f"/admin/core/approval/{pending.pk}/do/approve/"
    asked = browser.get(dialog, headers={"X-Dialog": "1"})
    assert asked.status_code == 403
    assert asked["X-Step-Up"].startswith("/account/confirm/?next=%2Fadmin%2Fcore%2Fapproval%2F")


def test_the_strongest_proof_is_asked_for(otto: User) -> None:
    TOTP.activate(otto, KEY)
    browser = inside(otto)
    age(browser, fresh_at=16)
    page = browser.get("/account/confirm/")
    assert page.context["methods"] == ["code"]
    refused = browser.post("/account/confirm/", {"method": "password", "password": SECRET})
    assert refused.status_code == 422
    code = format_hotp_value(hotp_value(KEY, int(time.time()) // 30))
    assert browser.post("/account/confirm/", {"method": "code", "code": code}).status_code == 302
    assert browser.session["fresh_by"] == "totp"


def test_where_a_passkey_is_asked_of_staff_nothing_else_will_do(otto: User, settings: Any) -> None:
    settings.STEP_UP_FACTOR = "passkey"
    browser = inside(otto)
    page = browser.get("/account/confirm/")
    assert page.context["methods"] == []
    assert "you have none yet" in page.content.decode()
    assert browser.get("/account/security/passkeys/add/").status_code == 200


def test_proofs_are_not_guessed(otto: User) -> None:
    browser = inside(otto)
    for _try in range(5):
        browser.post("/account/confirm/", {"method": "password", "password": "guess"})
    page = browser.post("/account/confirm/", {"method": "password", "password": SECRET})
    assert "Too many tries" in page.content.decode()


def test_the_way_back_never_leads_to_another_site(otto: User) -> None:
    browser = inside(otto)
    answer = browser.post(
        "/account/confirm/",
        {"method": "password", "password": SECRET, "next": "https://elsewhere.example/"},
    )
    assert answer["Location"] == "/home/"


@pytest.mark.usefixtures("house")
def test_a_client_proves_it_before_money_leaves() -> None:
    client = world.confirmed()
    browser = inside(world.user_of(client))
    age(browser, fresh_at=16)
    for page in ("/portal/withdraw/", "/portal/withdraw/bank-account/"):
        answer = browser.get(page)
        assert answer.status_code == 302, page
        assert answer["Location"].startswith("/account/confirm/?next=%2Fportal%2Fwithdraw")


@pytest.mark.usefixtures("house")
def test_the_interface_answers_with_a_problem_that_says_where() -> None:
    client = world.confirmed()
    browser = inside(world.user_of(client))
    age(browser, fresh_at=16)
    body = {"amount": "10.00", "currency": "EUR", "destination": str(client.pk)}
    answer = browser.post(
        "/api/v1/withdrawals/",
        body | {"client": str(client.pk)},
        "application/json",
        headers={"Idempotency-Key": "once-and-only-1"},
    )
    assert answer.status_code == 403, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "STEP_UP_REQUIRED"


def test_a_browser_without_a_sign_in_is_asked_for_one_first() -> None:
    assert Browser().get("/account/confirm/")["Location"].startswith("/portal/login/")
