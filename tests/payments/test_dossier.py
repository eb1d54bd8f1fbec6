"""The dossier of a withdrawal: everything on one paper, signed, the same bytes each time."""

import io
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from apps.core.actor import Actor
from apps.core.errors import NotAllowed, NotVisible
from apps.core.models import AuditRecord
from apps.core.outbox import deliver_all
from apps.core.papers import paper_problems
from apps.payments.dossier import dossier_paper, dossier_print
from apps.payments.services.withdrawals import withdrawal_approve
from apps.rules.models import DecisionLog
from apps.rules.receipts import receipt_paper, receipt_print
from tests.payments.world import ana, asks_to_withdraw, deposited, finance, fresh

SYSTEM = Actor.system("test")


@pytest.fixture
def settled(house):
    """Five thousand dollars to the card, agreed to by two people."""
    person = ana()
    deposited(house, person, "9000.00")
    withdrawal = asks_to_withdraw(person, "5000.00")
    for number in (1, 2):
        withdrawal_approve(
            withdrawal_id=withdrawal.pk, actor=finance(number), reason=f"seen by {number}"
        )
    deliver_all()
    house.knocks()
    house.knocks()
    return fresh(withdrawal)


def rows(paper, title):
    return next(section for section in paper.sections if section.title == title).rows


def test_the_dossier_says_who_agreed_which_checks_ran_what_changed_and_where_the_money_went(
    settled,
):
    paper = dossier_paper(settled)

    assert [(row[2], row[3]) for row in rows(paper, "Approvals")] == [
        ("APPROVE", "seen by 1"),
        ("APPROVE", "seen by 2"),
    ]
    assert len(rows(paper, "Checks")) == settled.checks.count()
    assert any(section.title.startswith("Decision: ") for section in paper.sections)
    money = [(row[1], row[4], row[5]) for row in rows(paper, "Money")]
    assert money == [
        ("withdrawal.hold", "pending", "5,000.00 USD"),
        ("withdrawal.settle", "post", "5,000.00 USD"),
        ("withdrawal.settle", "single", "5,000.00 USD"),
    ]
    changes = " ".join(row[2] for row in rows(paper, "Changes"))
    for step in (
        "state: REQUESTED to FUNDS_HELD",
        "to PENDING_APPROVAL",
        "to APPROVED",
        "to SETTLED",
    ):
        assert step in changes
    acts = [row[2] for row in rows(paper, "People and acts")]
    assert acts.count("approval.request") == 1
    assert "approval.approve" in acts
    assert settled.destination.masked in str(paper.sections[0].facts)


def test_the_document_is_the_same_bytes_until_something_happens_and_taking_it_is_on_record(
    settled, tmp_path
):
    first = dossier_print(withdrawal_id=settled.pk, actor=SYSTEM)
    assert dossier_print(withdrawal_id=settled.pk, actor=SYSTEM) == first
    assert paper_problems(first) == []
    assert (
        AuditRecord.objects.filter(action="withdrawal.dossier", subject_id=str(settled.pk)).count()
        == 2
    )
    with pytest.raises(NotAllowed):
        dossier_print(withdrawal_id=settled.pk, actor=replace(finance(1), permissions=frozenset()))
    with pytest.raises(NotVisible):
        dossier_print(
            withdrawal_id=settled.pk,
            actor=replace(
                finance(1),
                scope=replace(finance(1).scope, level="ENTITY", entities=frozenset({"BOS-XX"})),
            ),
        )
    assert AuditRecord.objects.filter(action="withdrawal.dossier").count() == 2

    file = tmp_path / "dossier.pdf"
    file.write_bytes(first)
    out = io.StringIO()
    call_command("verify_receipt", str(file), stdout=out)
    assert out.getvalue().startswith("the document is genuine")
    for touched, problem in (
        (
            first.replace(b"5,000.00", b"6,000.00"),
            "the signature is not by a known key over this content",
        ),
        (first.replace(b"/Producer", b"/Producez"), "the pages are not those that were printed"),
        (b"%PDF-1.3 something else", "carries no signed content"),
    ):
        assert touched != first
        file.write_bytes(touched)
        with pytest.raises(CommandError, match=problem):
            call_command("verify_receipt", str(file))


def test_the_receipt_of_the_decision_names_inputs_rules_and_the_people_who_acted_on_it(settled):
    receipt = DecisionLog.objects.get(pk=settled.decision_id)
    paper = receipt_paper(receipt)

    assert paper.sections[0].facts[0][1].startswith(receipt.outcome)
    assert [row[0] for row in rows(paper, "Versions that answered")] == [
        s["key"] for s in receipt.sources
    ]
    assert len(rows(paper, "Each row that was asked")) == len(receipt.results)
    acts = rows(paper, "People and acts")
    assert {"seen by 1", "seen by 2"} <= {row[3] for row in acts}

    first = receipt_print(decision_id=receipt.pk, actor=SYSTEM)
    assert receipt_print(decision_id=receipt.pk, actor=SYSTEM) == first
    assert paper_problems(first) == []
    assert AuditRecord.objects.filter(action="receipt.print").count() == 2
