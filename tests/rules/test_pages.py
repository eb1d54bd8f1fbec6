"""The pages and the API: what staff see of rules and receipts, and who does not."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth import get_user_model

from apps.core.actor import ScopeLevel
from apps.rules.models import DecisionLog, RuleSet
from apps.rules.services import decide
from apps.users.models import Role
from apps.users.roles import load_roles

pytestmark = pytest.mark.django_db(transaction=True)

WITHDRAWAL = {"amount_base_minor": 250_000, "kyc_level": 2, "restrictions": []}


@pytest.fixture
def sign_in(client, db):
    load_roles()

    def as_role(role: str, entities: tuple[str, ...] = ()):
        user = get_user_model().objects.create_user(
            f"{role}@demo.brokeros.example",
            "demo-Broker-2026",
            is_staff=True,
            scope_level=ScopeLevel.ENTITY if entities else ScopeLevel.ALL,
            entities=list(entities),
        )
        user.groups.add(Role.objects.get(name=role))
        client.force_login(user)
        return client

    return as_role


def gate(entity: str = "BOS-EU") -> RuleSet:
    return RuleSet.objects.get(entity=entity, point="withdrawal.gate")


def test_compliance_reads_the_decision_table(loaded, sign_in):
    page = sign_in("compliance").get(f"/admin/rules/ruleset/{gate().pk}/change/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "withdrawals_24h_base_minor + amount_base_minor &gt; 1000000" in text
    assert "It is the first withdrawal of this client." in text


def test_the_tester_shows_which_row_fired_and_keeps_nothing(loaded, sign_in):
    page = sign_in("risk").post(
        f"/admin/rules/ruleset/{gate().pk}/tester/",
        {"amount_base_minor": "250000", "kyc_level": "2", "restrictions": "no_withdrawal"},
    )
    assert page.status_code == 200
    assert page.context["verdict"].outcome == "DENY"
    hit = [step["rule"].code for step in page.context["trace"] if step["hit"]]
    assert hit == ["band-two-people", "withdrawals-blocked"]
    assert DecisionLog.objects.count() == 0


def test_the_tester_shows_how_the_point_fails(loaded, sign_in):
    page = sign_in("risk").post(
        f"/admin/rules/ruleset/{gate().pk}/tester/", {"amount_base_minor": "a lot", "kyc_level": ""}
    )
    verdict = page.context["verdict"]
    assert verdict.outcome == "DENY"
    assert {item.field: item.code for item in verdict.problems} == {
        "amount_base_minor": "WRONG_TYPE",
        "kyc_level": "MISSING",
    }


def test_a_receipt_is_readable(loaded, sign_in, system):
    decision = decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU")
    page = sign_in("auditor").get(f"/admin/rules/decisionlog/{decision.decision_id}/change/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "BOS-EU/withdrawal.gate v1" in text
    assert "2,500.00" in text
    assert "band-two-people" in text


def test_those_without_the_permission_are_refused(loaded, sign_in, system):
    decision = decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU")
    client = sign_in("sales")
    for url in (
        "/admin/rules/ruleset/",
        f"/admin/rules/ruleset/{gate().pk}/tester/",
        "/admin/rules/decisionlog/",
        f"/admin/rules/decisionlog/{decision.decision_id}/change/",
        f"/admin/rules/ruleset/{gate().pk}/do/draft/",
    ):
        assert client.get(url).status_code in (302, 403, 404), url
    assert client.get("/api/v1/rule-decisions/").status_code == 403


def test_staff_of_one_entity_do_not_see_the_other(loaded, sign_in, system):
    mine = decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU")
    theirs = decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-INT")
    client = sign_in("compliance", ("BOS-EU",))
    answer = client.get("/api/v1/rule-decisions/").json()
    assert [row["id"] for row in answer["results"]] == [str(mine.decision_id)]
    assert client.get(f"/api/v1/rule-decisions/{theirs.decision_id}/").status_code == 404
    assert client.get(f"/admin/rules/ruleset/{gate('BOS-INT').pk}/tester/").status_code == 404


def test_the_api_filters_by_client_and_never_writes(loaded, sign_in, system):
    wanted = uuid.uuid4()
    decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU", client_id=wanted)
    decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU", client_id=uuid.uuid4())
    client = sign_in("finance")
    answer = client.get(f"/api/v1/rule-decisions/?client_id={wanted}").json()
    assert [row["client_id"] for row in answer["results"]] == [str(wanted)]
    assert client.post("/api/v1/rule-decisions/", {}).status_code == 405


def test_a_draft_is_made_edited_tested_and_submitted_from_the_page(loaded, sign_in):
    client = sign_in("risk")
    base = f"/admin/rules/ruleset/{gate().pk}"
    assert client.post(f"{base}/do/draft/", {"reason": "a higher band"}).status_code == 302
    draft = RuleSet.objects.get(entity="BOS-EU", point="withdrawal.gate", version=2)
    page = f"/admin/rules/ruleset/{draft.pk}"
    row = {
        "code": "weekend",
        "priority": "50",
        "when": "amount_base_minor > 5000000",
        "outcome": "REVIEW",
        "then": '{"approvals": 2}',
        "scope": '{"countries": ["DE"]}',
        "reason_code": "VERY_LARGE",
        "text": "A very large withdrawal.",
        "reason": "asked by finance",
    }
    assert client.post(f"{page}/do/row/", row).status_code == 302
    bad = client.post(f"{page}/do/row/", row | {"when": "salary > 5"})
    assert bad.status_code == 422
    assert "UNKNOWN_INPUT" in bad.content.decode()
    assert client.post(f"{page}/do/test/", {"reason": "golden cases"}).status_code == 302
    assert client.post(f"{page}/do/submit/", {"reason": "please"}).status_code == 302
    assert RuleSet.objects.get(pk=draft.pk).state == "PENDING_APPROVAL"
    change = client.get(f"{page}/change/").content.decode()
    assert "weekend" in change
