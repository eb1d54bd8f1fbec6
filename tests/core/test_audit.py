from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from apps.clients.models import Person
from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.context import grounds, note_decision, under_approval
from apps.core.models import Approval, AuditRecord, bulk_save_as
from apps.users.models import User

ACTOR = Actor.system("test")


def three_records() -> None:
    for number in range(3):
        audit(actor=ACTOR, action=f"thing.step{number}", reason="because", after={"n": number})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE core_auditrecord SET reason = 'other'",
        "DELETE FROM core_auditrecord",
        "TRUNCATE core_auditrecord CASCADE",
    ],
)
def test_the_database_refuses_to_rewrite_the_trail(sql):
    three_records()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(AuditRecord.objects.values_list("reason", flat=True)) == ["because"] * 3


@pytest.mark.django_db
def test_a_record_says_for_whom_and_under_which_rules_without_being_told():
    client, other = uuid4(), uuid4()
    decision = uuid4()
    agreed = uuid4()
    delegate = replace(ACTOR, on_behalf_of="user:7")
    with grounds(), under_approval(agreed):
        note_decision(decision, ["COMMON/clients.activation v3"], client_id=client)
        record = audit(actor=delegate, action="thing.done", client_id=client)
        elsewhere = audit(actor=ACTOR, action="thing.done", client_id=other)
    outside = audit(actor=ACTOR, action="thing.done", client_id=client)

    assert (record.on_behalf_of, record.decision_id, record.approval_id, record.rule_versions) == (
        "user:7", decision, agreed, ["COMMON/clients.activation v3"],
    )  # fmt: skip
    assert (elsewhere.on_behalf_of, elsewhere.decision_id, elsewhere.rule_versions) == (
        "",
        None,
        [],
    )
    assert (outside.decision_id, outside.approval_id, outside.rule_versions) == (None, None, [])


def asked(number: int) -> Approval:
    return Approval(
        action="thing.act", title=f"ask {number}", payload={}, payload_hash="", maker_id="user:1",
        maker_label="Mia", required=1, permission="core.vote_approval", expires_at=clock.now(),
    )  # fmt: skip


@pytest.mark.django_db
def test_many_rows_at_once_keep_history_and_records_like_one(django_assert_num_queries):
    clerk = replace(ACTOR, id="user:5", label="Clerk")
    rows = [asked(number) for number in range(3)]
    assert bulk_save_as(rows, clerk, "imported", action="approval.import") == 3
    for row in rows[:2]:
        row.title += " again"
    with django_assert_num_queries(5):
        assert bulk_save_as(rows, clerk, "renamed") == 2
    assert bulk_save_as(rows, clerk, "renamed") == 0

    records = AuditRecord.objects.order_by("id").values_list("action", "reason", "actor_id")
    assert (
        list(records)
        == [("approval.import", "imported", "user:5")] * 3
        + [("approval.change", "renamed", "user:5")] * 2
    )
    assert (
        AuditRecord.objects.filter(
            before={"title": "ask 0"}, after={"title": "ask 0 again"}
        ).count()
        == 1
    )
    kept = Approval.history.order_by("history_id")
    assert (
        list(kept.values_list("history_change_reason", "history_type"))
        == [("imported", "+")] * 3 + [("renamed", "~")] * 2
    )
    assert Approval.objects.get(pk=rows[0].pk).title == "ask 0 again"


@pytest.mark.django_db
def test_rows_of_two_models_or_with_sealed_fields_are_refused_and_nothing_is_written():
    with pytest.raises(TypeError, match="one model"):
        bulk_save_as([asked(1), User()], ACTOR, "mixed")
    with pytest.raises(TypeError, match="sealed"):
        bulk_save_as([Person()], ACTOR, "sealed")
    assert not Approval.objects.exists()
    assert not AuditRecord.objects.exists()
