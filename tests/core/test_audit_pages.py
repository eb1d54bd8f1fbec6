"""The trail in the back office: found by what people know, read with before and after, taken along signed."""

import io
import json
from dataclasses import replace
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.core import sealing, signing
from apps.core.actor import Actor, ScopeLevel
from apps.core.audit import audit
from apps.core.errors import NotAllowed
from apps.core.extracts import ExtractFilter, ExtractTooLong, audit_extract, extract_problems
from apps.core.integrity import integrity_nightly
from apps.core.models import AuditRecord
from apps.core.panels import queues_for
from apps.users.models import User
from tests.core.test_admin_base import browser
from tests.core.test_sealing import as_an_intruder

ACTOR = Actor.system("test")
LIST = "/admin/core/auditrecord/"
pytestmark = pytest.mark.django_db


def auditor(*codes: str) -> Client:
    page = browser("core.view_auditrecord", *codes)
    User.objects.update(scope_level=ScopeLevel.ALL)
    return page


def test_records_are_found_by_who_what_for_whom_and_why():
    client, approval, decision = uuid4(), uuid4(), uuid4()
    wanted = audit(
        actor=replace(ACTOR, on_behalf_of="user:7", request_id="request-1"),
        action="thing.change", client_id=client, approval_id=approval, decision_id=decision,
        reason="because",
    )  # fmt: skip
    audit(actor=ACTOR, action="other.change")
    page = auditor()
    for query in (
        {"behalf": "user:7"}, {"action": "thing."}, {"client": str(client)}, {"approval": str(approval)},
        {"decision": str(decision)}, {"request": "request-1"}, {"actor": "system:test", "action": "thing"},
    ):  # fmt: skip
        found = page.get(LIST, query).context["cl"].result_list
        assert [record.pk for record in found] == [wanted.pk], query
    assert page.get(LIST, {"client": "no uuid"}).context["cl"].result_count == 0


def test_a_record_opens_with_what_changed_and_its_seal():
    record = audit(
        actor=ACTOR, action="thing.change", reason="as agreed", before={"limit": "10"},
        after={"limit": "25", "note": "new"}, rule_versions=["EU/payments.withdrawal v3"],
    )  # fmt: skip
    sealing.seal()
    text = auditor().get(f"{LIST}{record.pk}/change/").content.decode()
    for part in ("as agreed", "<del", "10</del>", "25", "EU/payments.withdrawal v3"):
        assert part in text


def test_the_card_says_whether_the_trail_proves_itself_and_a_break_waits_in_the_inbox():
    page = auditor()
    records = [audit(actor=ACTOR, action="thing.change") for _ in range(3)]
    assert "not proven yet" in page.get(LIST).content.decode()
    integrity_nightly()
    text = page.get(LIST).content.decode()
    assert "proves itself" in text
    assert signing.active_key_id() in text
    everybody = replace(ACTOR)
    [rows] = [rows for queue, rows in queues_for(everybody) if queue.code == "audit_trail"]
    assert list(rows) == []

    as_an_intruder(f"DELETE FROM core_auditrecord WHERE id = {records[1].pk}")
    integrity_nightly()
    text = page.get(LIST).content.decode()
    assert "does not prove itself" in text
    assert "RECORD_DELETED" in text
    [rows] = [rows for queue, rows in queues_for(everybody) if queue.code == "audit_trail"]
    assert [(row.severity, row.label) for row in rows] == [
        ("critical", "The audit trail does not prove itself: 1 findings")
    ]


def extract(**wanted: object) -> str:
    return audit_extract(wanted=ExtractFilter(**wanted), actor=ACTOR, reason="asked by the auditor")


def test_an_extract_proves_itself_without_the_database():
    client = uuid4()
    audit(actor=ACTOR, action="thing.one", client_id=client, after={"name": 'Ärger | "x"'})
    audit(actor=ACTOR, action="thing.two")
    audit(actor=ACTOR, action="thing.three", client_id=client)
    text = extract(client_id=client)

    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["kind"] for line in lines] == ["audit-extract", "record", "record", "signature"]
    assert [json.loads(line["record"])[7] for line in lines[1:3]] == ["thing.one", "thing.three"]
    assert extract_problems(text) == []
    ring = signing.keys_from([signing.public_text(key) for key in signing.public_keys().values()])
    assert extract_problems(text, keys=ring) == []
    foreign = signing.keys_from([signing.public_text(b"\1" * 32)])
    assert extract_problems(text, keys=foreign) == [
        f"the signature is not by a known key ({signing.active_key_id()})"
    ]
    taken = AuditRecord.objects.get(action="audit.extract")
    assert (taken.after["records"], taken.reason, taken.client_id) == (
        2,
        "asked by the auditor",
        client,
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda lines: [lines[0], lines[1].replace("thing.one", "thing.two"), *lines[2:]],
            "does not agree with its seal",
        ),
        (lambda lines: [lines[0], *lines[2:]], "2 records were signed, 1 are here"),
        (lambda lines: [lines[0].replace("auditor", "nobody"), *lines[1:]], "not those that were signed"),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], "not those that were signed"),
        (lambda lines: lines[:-1], "last line is missing"),
        (lambda lines: ["nonsense"], "no audit extract"),
    ],
)  # fmt: skip
def test_an_extract_that_was_touched_says_where(change, problem):
    audit(actor=ACTOR, action="thing.one")
    audit(actor=ACTOR, action="thing.two")
    text = "\n".join(change(extract().splitlines()))
    assert problem in " ".join(extract_problems(text))


def test_taking_an_extract_needs_the_permission_and_is_on_record(tmp_path, monkeypatch):
    audit(actor=ACTOR, action="thing.one")
    clerk = replace(ACTOR, kind="STAFF", permissions=frozenset())
    with pytest.raises(NotAllowed):
        audit_extract(wanted=ExtractFilter(), actor=clerk, reason="x")
    address = reverse("admin:core_auditrecord_extract")
    assert auditor().get(address).status_code == 403
    page = auditor("core.export_auditrecord")
    assert page.get(address).status_code == 200
    assert page.post(address, {}).status_code == 422
    assert not AuditRecord.objects.filter(action="audit.extract").exists()

    answer = page.post(address, {"action": "thing.one", "reason": "asked"})
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-extract-')
    file = tmp_path / "extract.jsonl"
    file.write_bytes(answer.content)
    out = io.StringIO()
    call_command("verify_extract", str(file), stdout=out)
    assert out.getvalue() == "the extract is whole and its signature is genuine\n"
    file.write_text(file.read_text().replace("asked", "found"))
    with pytest.raises(CommandError):
        call_command("verify_extract", str(file), stderr=io.StringIO())

    monkeypatch.setattr("apps.core.extracts.MOST", 0)
    with pytest.raises(ExtractTooLong):
        extract()
    assert AuditRecord.objects.filter(action="audit.extract").count() == 1


def test_staff_of_one_company_take_only_what_they_see():
    audit(actor=ACTOR, action="thing.one", client_id=uuid4())
    page = browser("core.view_auditrecord", "core.export_auditrecord")
    answer = page.post(reverse("admin:core_auditrecord_extract"), {"reason": "asked"})
    assert [json.loads(line)["kind"] for line in answer.content.splitlines()] == [
        "audit-extract", "signature",
    ]  # fmt: skip
