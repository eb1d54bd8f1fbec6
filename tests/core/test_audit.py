from dataclasses import replace
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.core import sealing
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.context import grounds, note_decision, under_approval
from apps.core.models import AuditRecord, AuditSeal

ACTOR = Actor.system("test")


def three_records() -> None:
    for number in range(3):
        audit(actor=ACTOR, action=f"thing.step{number}", reason="because", after={"n": number})


def as_an_intruder(sql: str) -> None:
    """What someone with the keys of the database could do: the triggers are off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET session_replication_role = DEFAULT")


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


@pytest.mark.django_db(transaction=True)
def test_an_untouched_trail_proves_itself():
    three_records()
    assert sealing.seal() == 3
    assert sealing.seal() == 0
    three_records()
    assert sealing.seal() == 3
    assert list(sealing.verify()) == []
    call_command("verify_audit")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE core_auditrecord SET reason = 'x' WHERE id = {id}", "RECORD_CHANGED"),
        ("UPDATE core_auditrecord SET after = '{{\"n\": 9}}' WHERE id = {id}", "RECORD_CHANGED"),
        (
            "UPDATE core_auditrecord SET at = at + interval '1 second' WHERE id = {id}",
            "RECORD_CHANGED",
        ),
        ("DELETE FROM core_auditrecord WHERE id = {id}", "RECORD_DELETED"),
    ],
)
def test_a_change_behind_the_triggers_is_found_at_its_row(sql, kind):
    three_records()
    sealing.seal()
    victim = AuditRecord.objects.order_by("id")[1].pk
    as_an_intruder(sql.format(id=victim))
    assert [(b.record_id, b.kind) for b in sealing.verify()] == [(victim, kind)]
    with pytest.raises(CommandError):
        call_command("verify_audit")


@pytest.mark.django_db(transaction=True)
def test_two_records_that_changed_places_are_found():
    three_records()
    sealing.seal()
    first, second, _third = AuditRecord.objects.order_by("id").values_list("pk", flat=True)
    as_an_intruder(
        f"UPDATE core_auditseal SET record_id = -1 WHERE record_id = {first};"
        f"UPDATE core_auditseal SET record_id = {first} WHERE record_id = {second};"
        f"UPDATE core_auditseal SET record_id = {second} WHERE record_id = -1"
    )
    assert {b.record_id for b in sealing.verify()} == {first, second}


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_was_cut_out_is_found():
    three_records()
    sealing.seal()
    as_an_intruder("DELETE FROM core_auditseal WHERE position = 2")
    assert "SEAL_MISSING" in {b.kind for b in sealing.verify()}
    assert AuditSeal.objects.count() == 2


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
