"""Versions: immutable, published by someone else, rolled back at once, and old answers stay computable."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.approvals import approval_vote
from apps.core.errors import NotAllowed, SelfApproval, WrongState
from apps.core.models import AuditRecord
from apps.rules.engine.schema import Outcome
from apps.rules.enums import RuleSetState
from apps.rules.errors import BadRule, GoldenCaseFailed, NothingToRestore
from apps.rules.files import DATA
from apps.rules.models import DecisionLog, Rule, RuleSet
from apps.rules.services import (
    decide,
    decide_again,
    load_rule_files,
    rule_remove,
    rule_save,
    ruleset_draft,
    ruleset_roll_back,
    ruleset_submit,
    ruleset_test,
)

pytestmark = pytest.mark.django_db(transaction=True)

WITHDRAWAL = {"amount_base_minor": 90_000, "kyc_level": 2, "restrictions": []}
EVERYTHING = Scope(level=ScopeLevel.ALL)


def staff(number: int, *permissions: str) -> Actor:
    return Actor(
        kind=ActorKind.STAFF,
        id=f"user:{number}",
        label=f"Person {number}",
        permissions=frozenset(permissions),
        scope=EVERYTHING,
    )


WRITER = staff(1, "rules.edit_rules")
PUBLISHER = staff(2, "rules.publish_rules", "core.vote_approval")


def gate() -> RuleSet:
    return RuleSet.objects.get(entity="BOS-EU", point="withdrawal.gate", state=RuleSetState.ACTIVE)


def book() -> RuleSet:
    return RuleSet.objects.get(entity="BOS-EU", point="order.book", state=RuleSetState.ACTIVE)


def new_book_version(*, large_from: int = 2_000) -> RuleSet:
    """A draft by which a golden case still holds but orders from two lots on are passed on."""
    draft = ruleset_draft(ruleset_id=book().id, actor=WRITER, reason="smaller book")
    row = draft.rules.get(code="large").row
    rule_save(
        ruleset_id=draft.id,
        row=replace(row, when=f"quantity_millilots >= {large_from}"),
        actor=WRITER,
        reason="from two lots",
    )
    return ruleset_test(ruleset_id=draft.id, actor=WRITER, reason="tested")


def book_of(lots_milli: int, system: Actor) -> str:
    context = {"symbol": "EURUSD", "asset_class": "FX", "quantity_millilots": lots_milli}
    return decide("order.book", context, actor=system, entity="BOS-EU").obligations["book"]


def refuses(sql: str, *parameters) -> None:
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, parameters)


def test_the_database_refuses_to_change_what_was_published(loaded):
    ruleset = gate()
    before = (
        list(Rule.objects.order_by("pk").values()),
        list(RuleSet.objects.order_by("pk").values()),
    )
    rule = ruleset.rules.first()

    refuses("UPDATE rules_rule SET outcome = 'ALLOW' WHERE id = %s", rule.pk)
    refuses("UPDATE rules_rule SET enabled = false WHERE id = %s", rule.pk)
    refuses("DELETE FROM rules_rule WHERE id = %s", rule.pk)
    refuses(
        'INSERT INTO rules_rule SELECT gen_random_uuid(), \'sneaked\', priority, "when", outcome, "then", reason, '
        "text, scope, valid_from, valid_to, enabled, source_url, verified_on, ruleset_id FROM rules_rule WHERE id = %s",
        rule.pk,
    )
    refuses("UPDATE rules_ruleset SET checksum = 'x' WHERE id = %s", ruleset.pk)
    refuses("UPDATE rules_ruleset SET hit_policy = 'FIRST' WHERE id = %s", ruleset.pk)
    refuses("UPDATE rules_ruleset SET author_id = 'user:9' WHERE id = %s", ruleset.pk)
    refuses("DELETE FROM rules_ruleset WHERE id = %s", ruleset.pk)

    after = (
        list(Rule.objects.order_by("pk").values()),
        list(RuleSet.objects.order_by("pk").values()),
    )
    assert after == before


def test_the_database_refuses_two_active_versions_and_an_author_who_publishes(loaded):
    refuses(
        "UPDATE rules_ruleset SET publisher_id = author_id WHERE id = %s",
        gate().pk,
    )
    draft = ruleset_draft(ruleset_id=gate().id, actor=WRITER, reason="try")
    refuses("UPDATE rules_ruleset SET state = 'ACTIVE' WHERE id = %s", draft.pk)


def test_a_receipt_never_changes(loaded, system):
    decide("withdrawal.gate", WITHDRAWAL, actor=system, entity="BOS-EU")
    refuses("UPDATE rules_decisionlog SET outcome = 'DENY'")
    refuses("DELETE FROM rules_decisionlog")
    refuses("TRUNCATE rules_decisionlog")
    assert DecisionLog.objects.get().outcome == "ALLOW"


def test_a_version_is_published_by_another_person_and_answers_at_once(loaded, system):
    assert book_of(3_000, system) == "B"
    draft = new_book_version()
    approval = ruleset_submit(ruleset_id=draft.id, actor=WRITER, reason="please publish")
    assert book_of(3_000, system) == "B"

    approval_vote(approval_id=approval.id, actor=PUBLISHER, verdict="APPROVE", reason="agreed")

    assert book_of(3_000, system) == "A"
    active = book()
    assert (active.version, active.author_id, active.publisher_id) == (2, "user:1", "user:2")
    assert RuleSet.objects.get(entity="BOS-EU", point="order.book", version=1).state == "SUPERSEDED"


def test_the_author_cannot_publish_and_nothing_changes(loaded, system):
    both = staff(1, "rules.edit_rules", "rules.publish_rules", "core.vote_approval")
    draft = new_book_version()
    approval = ruleset_submit(ruleset_id=draft.id, actor=both, reason="please publish")

    with pytest.raises(SelfApproval):
        approval_vote(approval_id=approval.id, actor=both, verdict="APPROVE", reason="me")

    assert book().version == 1
    assert book_of(3_000, system) == "B"


def test_a_submitter_who_did_not_write_it_does_not_make_the_author_a_publisher(loaded):
    """The writer leaves the submission to a colleague and votes: the vote is another person's, the text is not."""
    writer_votes = staff(1, "rules.edit_rules", "rules.publish_rules", "core.vote_approval")
    colleague = staff(3, "rules.edit_rules")
    draft = new_book_version()
    approval = ruleset_submit(ruleset_id=draft.id, actor=colleague, reason="please publish")

    with pytest.raises(Exception) as refusal:
        approval_vote(approval_id=approval.id, actor=writer_votes, verdict="APPROVE", reason="me")

    assert refusal.value.code == "AUTHOR_CANNOT_PUBLISH"
    assert book().version == 1
    assert approval.votes.count() == 0


def test_a_rejected_version_never_comes_into_force(loaded, system):
    draft = new_book_version()
    approval = ruleset_submit(ruleset_id=draft.id, actor=WRITER, reason="please publish")
    approval_vote(approval_id=approval.id, actor=PUBLISHER, verdict="REJECT", reason="no")
    assert RuleSet.objects.get(pk=draft.pk).state == "ROLLED_BACK"
    assert book().version == 1


def test_a_roll_back_restores_the_earlier_content_as_a_new_version(loaded, system):
    first = book()
    draft = new_book_version()
    approval = ruleset_submit(ruleset_id=draft.id, actor=WRITER, reason="please publish")
    approval_vote(approval_id=approval.id, actor=PUBLISHER, verdict="APPROVE", reason="agreed")

    ruleset_roll_back(ruleset_id=book().id, actor=PUBLISHER, reason="losses")

    restored = book()
    assert (restored.version, restored.restores, restored.checksum) == (3, 1, first.checksum)
    assert RuleSet.objects.get(pk=draft.pk).state == "ROLLED_BACK"
    assert book_of(3_000, system) == "B"
    assert [row.code for row in restored.rules.all()] == [row.code for row in first.rules.all()]


def test_the_first_version_has_nothing_to_go_back_to(loaded):
    with pytest.raises(NothingToRestore):
        ruleset_roll_back(ruleset_id=book().id, actor=PUBLISHER, reason="try")
    assert book().version == 1


def test_replaying_an_old_decision_with_its_version_gives_the_same_answer(loaded, system):
    old = decide(
        "order.book",
        {"symbol": "EURUSD", "asset_class": "FX", "quantity_millilots": 3_000},
        actor=system,
        entity="BOS-EU",
    )
    draft = new_book_version()
    approval = ruleset_submit(ruleset_id=draft.id, actor=WRITER, reason="please publish")
    approval_vote(approval_id=approval.id, actor=PUBLISHER, verdict="APPROVE", reason="agreed")
    assert book_of(3_000, system) == "A"

    receipt = DecisionLog.objects.get(pk=old.decision_id)
    assert decide_again(receipt) == (Outcome.ALLOW, {"book": "B", "hedge_percent": 0, "lps": []})


def test_a_refusal_for_a_missing_input_replays_too(loaded, system):
    decision = decide("withdrawal.gate", {"kyc_level": 2}, actor=system, entity="BOS-EU")
    outcome, obligations = decide_again(DecisionLog.objects.get(pk=decision.decision_id))
    assert (outcome, obligations) == (Outcome.DENY, decision.obligations)


def test_a_draft_that_breaks_a_golden_case_is_not_tested(loaded):
    draft = ruleset_draft(ruleset_id=gate().id, actor=WRITER, reason="looser")
    rule_remove(ruleset_id=draft.id, code="band-two-people", actor=WRITER, reason="looser")
    with pytest.raises(GoldenCaseFailed, match="a cent above a thousand needs two"):
        ruleset_test(ruleset_id=draft.id, actor=WRITER, reason="tested")
    assert RuleSet.objects.get(pk=draft.pk).state == "DRAFT"


def test_a_bad_row_is_refused_and_the_draft_stays(loaded):
    draft = ruleset_draft(ruleset_id=gate().id, actor=WRITER, reason="looser")
    count = draft.rules.count()
    row = draft.rules.get(code="high-risk").row
    with pytest.raises(BadRule):
        rule_save(
            ruleset_id=draft.id, row=replace(row, when="salary > 5"), actor=WRITER, reason="oops"
        )
    assert draft.rules.count() == count
    assert draft.rules.get(code="high-risk").when == "risk_rating == 'HIGH'"


def test_editing_needs_the_permission_and_a_draft(loaded):
    with pytest.raises(NotAllowed):
        ruleset_draft(ruleset_id=gate().id, actor=PUBLISHER, reason="try")
    with pytest.raises(WrongState):
        rule_remove(ruleset_id=gate().id, code="high-risk", actor=WRITER, reason="try")
    assert RuleSet.objects.count() == 33


def test_editing_a_tested_draft_sends_it_back_to_be_tested(loaded):
    draft = new_book_version()
    rule_remove(ruleset_id=draft.id, code="toxic-flow", actor=WRITER, reason="simpler")
    reopened = RuleSet.objects.get(pk=draft.pk)
    assert (reopened.state, reopened.checksum) == ("DRAFT", "")


def test_a_changed_file_becomes_the_next_version_and_a_failing_one_nothing(
    loaded, system, tmp_path
):
    folder = tmp_path / "rules"
    shutil.copytree(DATA, folder)
    path = folder / "bos_eu.toml"
    original = path.read_text()
    path.write_text(original.replace("quantity_millilots >= 5000", "quantity_millilots >= 4000"))
    assert [str(item) for item in load_rule_files(actor=system, folder=folder)] == [
        "BOS-EU/order.book v2"
    ]
    assert book_of(4_500, system) == "A"

    path.write_text(original.replace("quantity_millilots >= 5000", "quantity_millilots >= 50"))
    with pytest.raises(GoldenCaseFailed):
        load_rule_files(actor=system, folder=folder)
    assert book().version == 2


def test_publishing_is_in_the_audit_trail(loaded):
    actions = AuditRecord.objects.filter(subject_id=str(gate().pk)).order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["ruleset.load", "ruleset.publish"]
