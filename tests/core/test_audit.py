from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.context import grounds, note_decision, under_approval
from apps.core.models import AuditRecord

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
