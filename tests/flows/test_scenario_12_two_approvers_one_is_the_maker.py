"""Golden scenario 12: two approvers, one is the maker: refused; what it stands on went stale: looked at again."""

from __future__ import annotations

import pytest

from apps.core.approvals import approval_rebase, approval_vote
from apps.core.errors import AlreadyVoted, NotAllowed, SelfApproval, StaleBase
from apps.core.models import Approval, ApprovalVote, AuditRecord
from apps.ledger.errors import InvalidPosting
from apps.ledger.models import Entry
from apps.ledger.permissions import CORRECT_ENTRY, VIEW_LEDGER
from apps.ledger.services import entry_correct
from tests.core.approving import FIRST, MAKER, SECOND, ask, everything, office, paying, staff
from tests.ledger.books import deposited, figures, fingerprint, wallet

pytestmark = pytest.mark.django_db
BOOKS = (CORRECT_ENTRY.code, VIEW_LEDGER.code, "core.decide_escalated")
ADA, BEN = staff(9201, *BOOKS), staff(9202, *BOOKS)
CAI, OUTSIDER = staff(9203, *BOOKS), staff(9204)


def agree(approval: Approval, actor: object) -> Approval:
    return approval_vote(approval_id=approval.pk, actor=actor, verdict="APPROVE", reason="compared")


def test_a_correction_is_not_agreed_to_by_the_one_who_asked_for_it():
    ana = wallet()
    wrong = deposited(ana, "100.00")
    asked = entry_correct(entry_id=wrong.pk, actor=ADA, reason="the wrong client")
    before, trail = fingerprint(), AuditRecord.objects.count()

    for person, refusal in ((ADA, SelfApproval), (OUTSIDER, NotAllowed)):
        with pytest.raises(refusal):
            agree(asked, person)

    assert (fingerprint(), AuditRecord.objects.count()) == (before, trail)
    assert ApprovalVote.objects.count() == 0

    agree(asked, BEN)
    if asked.required == 2:
        with pytest.raises(AlreadyVoted):
            agree(asked, BEN)
        agree(asked, CAI)

    correction = Entry.objects.get(corrects=wrong)
    assert figures(ana) == ("0.00", "0.00", "0.00")
    assert correction.reason == "the wrong client"
    named = AuditRecord.objects.filter(subject_id=str(asked.pk)).order_by("id")
    who = list(named.values_list("actor_id", flat=True))
    assert (who[0], who[-1]) == (ADA.id, CAI.id if asked.required == 2 else BEN.id)
    with pytest.raises(InvalidPosting):
        entry_correct(entry_id=wrong.pk, actor=ADA, reason="again")


def test_what_changed_since_the_request_is_shown_and_everybody_looks_again():
    with paying() as world, office(MAKER, FIRST, SECOND):
        approval = ask(required=2)
        agree(approval, FIRST)
        world.rate = "1.25"
        before = everything()
        with pytest.raises(StaleBase) as stale:
            agree(approval, SECOND)
        assert "rate: 1.10 → 1.25" in str(stale.value)
        assert everything() == before

        approval_rebase(approval_id=approval.pk, actor=MAKER, reason="the rate of today")

        assert agree(approval, SECOND).state == "PENDING"
        assert agree(approval, FIRST).state == "APPROVED"
        assert ApprovalVote.objects.filter(void__isnull=False).count() == 1
