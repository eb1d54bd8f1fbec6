"""Decisions through the database: receipts, versions, refusals that leave a trace."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.db import transaction

from apps.core.commands import command
from apps.core.money import Money
from apps.rules.engine.schema import Outcome
from apps.rules.errors import RefusedByRule, UnknownPoint
from apps.rules.models import DecisionLog, RuleSet
from apps.rules.services import DecisionBatch, decide, load_rule_files

pytestmark = pytest.mark.django_db(transaction=True)

WITHDRAWAL = {"amount_base_minor": 250_000, "kyc_level": 2, "restrictions": []}


def test_a_large_withdrawal_needs_two_people_and_the_receipt_says_why(loaded, system):
    client_id = uuid.uuid4()

    decision = decide(
        "withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU", client_id=client_id
    )

    assert decision.outcome is Outcome.ALLOW
    assert decision.obligations["approvals"] == 2
    receipt = DecisionLog.objects.get(pk=decision.decision_id)
    assert receipt.client_id == client_id
    assert receipt.inputs["amount_base_minor"] == 250_000
    assert receipt.version_label == "BOS-EU/withdrawal.gate v1, COMMON/withdrawal.gate v1"
    results = {row["rule"]: row["result"] for row in receipt.results}
    assert results["band-two-people"] == "HIT"
    assert results["band-one-person"] == "MISS"
    assert results["withdrawals-blocked"] == "MISS"


def test_money_and_lots_are_taken_as_exact_integers(loaded, system):
    decision = decide(
        "withdrawal.gate",
        WITHDRAWAL | {"amount_base_minor": Money.of("1000.00", "EUR")},
        actor=system,
        entity="BOS-EU",
    )
    assert decision.obligations["approvals"] == 1

    booked = decide(
        "order.book",
        {"symbol": "EURUSD", "asset_class": "FX", "quantity_millilots": Decimal("4.99")},
        actor=system,
        entity="BOS-EU",
    )
    assert booked.obligations["book"] == "B"


def test_an_undeclared_input_is_a_mistake_of_the_caller(loaded, system):
    with pytest.raises(TypeError, match="is not told amount"):
        decide("withdrawal.gate", {"amount": 1}, actor=system, entity="BOS-EU")
    assert DecisionLog.objects.count() == 0


def test_an_unknown_point_is_refused(loaded, system):
    with pytest.raises(UnknownPoint):
        decide("withdrawal.door", {}, actor=system)


def test_without_rules_every_point_denies(transactional_db, system):
    decision = decide("order.book", {"symbol": "EURUSD", "asset_class": "FX"}, actor=system)
    assert decision.outcome is Outcome.DENY
    assert [reason.code for reason in decision.reasons] == ["NO_RULES"]


def test_a_refusal_keeps_its_receipt_although_the_command_changed_nothing(loaded, system):
    @command
    def withdraw() -> None:
        blocked = WITHDRAWAL | {"restrictions": ["no_withdrawal"]}
        decide("withdrawal.gate", blocked, actor=system, entity="BOS-EU").raise_if_refused()

    with pytest.raises(RefusedByRule) as refusal:
        withdraw()

    assert refusal.value.code == "WITHDRAWALS_BLOCKED"
    assert str(refusal.value) == "Withdrawals are blocked for this client."
    receipt = DecisionLog.objects.get()
    assert receipt.outcome == "DENY"
    assert str(receipt.pk) == refusal.value.values["decision_id"]


def test_a_review_is_neither_allowed_nor_refused(loaded, system):
    decision = decide(
        "withdrawal.gate", WITHDRAWAL | {"first_withdrawal": True}, actor=system, entity="BOS-EU"
    )
    assert decision.outcome is Outcome.REVIEW
    decision.raise_if_refused()
    with pytest.raises(RefusedByRule):
        decision.raise_unless_allowed()


def test_personal_inputs_are_kept_as_a_keyed_hash(loaded, system):
    context = {"country": "DE", "email": "ana@client.example"}
    first = decide("client.register", context, actor=system)
    second = decide("client.register", context, actor=system)

    kept = [
        DecisionLog.objects.get(pk=item.decision_id).inputs["email"] for item in (first, second)
    ]
    assert kept[0] == kept[1]
    assert kept[0].startswith("hmac:")
    assert "ana" not in kept[0]


def test_a_batch_writes_its_receipts_with_one_statement(loaded, system, django_assert_num_queries):
    context = {"restrictions": [], "asset_class": "FX"}
    decide("order.permission", context, actor=system, entity="BOS-EU")
    with transaction.atomic(), django_assert_num_queries(1), DecisionBatch() as batch:
        ids = [
            decide(
                "order.permission", context, actor=system, entity="BOS-EU", batch=batch
            ).decision_id
            for _ in range(100)
        ]
    assert DecisionLog.objects.filter(pk__in=ids).count() == 100


def test_deciding_costs_one_statement(loaded, system, django_assert_num_queries):
    decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU")
    with django_assert_num_queries(1):
        decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU")


def test_loading_again_changes_nothing(loaded, system):
    assert len(loaded) == 33
    assert load_rule_files(actor=system) == []
    assert RuleSet.objects.count() == 33
