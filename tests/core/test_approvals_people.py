"""Who decides when people are away, leave, gain from it or are too few; and one alone in an emergency."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import (
    EFFECTS,
    approval_answer,
    approval_claim,
    approval_execute_emergency,
    approval_rebase,
    approval_return,
    approval_revise,
    approval_take_over,
    approval_vote,
    approvals_escalate,
    delegation_end,
    delegation_give,
    delegations_end_of,
    emergency_confirm,
    emergency_contest,
    reviews_remind,
)
from apps.core.approvals.errors import (
    Beneficiary,
    Claimed,
    DelegationTooLong,
    NoEmergencyPath,
    OwnReview,
    OwnStandIn,
)
from apps.core.approvals.standing import eligible
from apps.core.errors import (
    AlreadyVoted,
    DomainError,
    InvalidInput,
    NotAllowed,
    SelfApproval,
    StaleBase,
    StepUpRequired,
)
from apps.core.models import (
    Approval,
    ApprovalRound,
    ApprovalVote,
    AuditRecord,
    Delegation,
    EmergencyReview,
    Mail,
    OutboxEvent,
)
from tests.core.approving import (
    ACTION,
    EMERGENCY,
    FIRST,
    LEND,
    MAKER,
    REVIEW,
    SECOND,
    SENIOR,
    THIRD,
    VOTE,
    ask,
    everything,
    later,
    office,
    paying,
    staff,
)

pytestmark = pytest.mark.django_db
AWAY, COVER, COVER2 = staff(9005, VOTE, LEND), staff(9006, LEND), staff(9007, LEND)
BOSS, SENIOR_STAFF = staff(9009, EMERGENCY), staff(9010, SENIOR, REVIEW)
VOTING_BOSS = staff(9009, EMERGENCY, VOTE)
BEAT = Actor.system("beat")


@pytest.fixture(autouse=True)
def world():
    with paying() as made:
        yield made


@pytest.fixture(autouse=True)
def team():
    with office(MAKER, FIRST, SECOND, THIRD, AWAY, COVER, COVER2, BOSS, SENIOR_STAFF) as staffed:
        yield staffed


def vote(approval: Approval, actor: Actor, verdict: str = "APPROVE") -> Approval:
    return approval_vote(approval_id=approval.pk, actor=actor, verdict=verdict, reason="looked")


def lends(holder: Actor, delegate: Actor, **values: object) -> Delegation:
    given = {
        "valid_from": clock.now(),
        "valid_until": clock.now() + timedelta(days=7),
        "reason": "holiday",
    }
    return delegation_give(delegate_id=delegate.id, actor=holder, **(given | values))


def refused(error: type[DomainError], act: object) -> None:
    before = everything()
    with pytest.raises(error):
        act()
    assert everything() == before


def events(name: str) -> int:
    return OutboxEvent.objects.filter(name=f"core.{name}").count()


# standing in


def test_a_colleague_decides_with_the_authority_of_one_who_is_away_and_is_named_so():
    lends(AWAY, COVER)
    approval = ask(required=1)
    vote(approval, COVER)
    given = ApprovalVote.objects.get()
    assert (given.voter_id, given.on_behalf_of, given.authority) == (COVER.id, AWAY.id, AWAY.id)
    record = AuditRecord.objects.get(action="approval.approve")
    assert (record.actor_id, record.on_behalf_of) == (COVER.id, AWAY.id)


def test_without_or_outside_the_dates_nobody_stands_in():
    approval = ask(required=1)
    refused(NotAllowed, lambda: vote(approval, COVER))
    given = lends(AWAY, COVER, valid_from=clock.now() + timedelta(hours=2))
    refused(NotAllowed, lambda: vote(approval, COVER))
    with later(hours=3):
        delegation_end(delegation_id=given.pk, actor=AWAY, reason="back early")
        refused(NotAllowed, lambda: vote(approval, COVER))


def test_what_was_lent_is_not_lent_on():
    lends(AWAY, COVER)
    lends(COVER, COVER2)
    approval = ask(required=1)
    refused(NotAllowed, lambda: vote(approval, COVER2))


def test_standing_in_never_helps_around_separation():
    """Not for the maker in either place, and never twice with one authority or one pair of eyes."""
    maker = staff(9001, VOTE, LEND)
    lends(maker, COVER)
    approval = ask(required=2)
    refused(SelfApproval, lambda: vote(approval, COVER))
    lends(AWAY, COVER)
    vote(approval, COVER)
    refused(AlreadyVoted, lambda: vote(approval, AWAY))
    refused(AlreadyVoted, lambda: vote(approval, COVER))


def test_a_delegation_of_one_permission_lends_no_other():
    lends(AWAY, COVER, permissions=[LEND])
    approval = ask(required=1)
    refused(NotAllowed, lambda: vote(approval, COVER))


@pytest.mark.parametrize(
    "values",
    [
        {"valid_until": clock.now() - timedelta(days=1)},
        {"valid_from": clock.now() + timedelta(days=9)},
        {"permissions": [SENIOR]},
        {"delegate_id": AWAY.id},
    ],
    ids=["past", "ends before it begins", "not held", "oneself"],
)
def test_a_delegation_that_makes_no_sense_is_refused(values):
    given = {
        "delegate_id": COVER.id,
        "valid_from": clock.now(),
        "valid_until": clock.now() + timedelta(days=7),
    }
    with pytest.raises(InvalidInput):
        delegation_give(**(given | values), actor=AWAY, reason="holiday")
    assert Delegation.objects.count() == 0


def test_a_delegation_takes_a_fresh_sign_in_and_ends_within_a_month():
    def lent(holder: Actor = AWAY, days: int = 7) -> None:
        lends(holder, COVER, valid_until=clock.now() + timedelta(days=days))

    refused(DelegationTooLong, lambda: lent(days=31))
    refused(StepUpRequired, lambda: lent(replace(AWAY, fresh=False)))
    assert Delegation.objects.count() == 0
    lent(days=29)


def test_who_manages_stand_ins_does_not_name_themselves():
    manager = staff(9006, LEND, "core.manage_delegations")
    refused(OwnStandIn, lambda: lends(manager, manager, holder_id=AWAY.id))
    assert Delegation.objects.count() == 0
    assert lends(manager, COVER2, holder_id=AWAY.id).holder_id == AWAY.id


def test_nobody_lends_somebody_elses_authority():
    with pytest.raises(NotAllowed):
        lends(COVER, COVER2, holder_id=AWAY.id)
    assert Delegation.objects.count() == 0


def test_who_leaves_lends_and_is_lent_nothing(team):
    lends(AWAY, COVER)
    approval = ask(required=1)
    team.left.add(AWAY.id)
    refused(NotAllowed, lambda: vote(approval, COVER))
    team.left.clear()
    with transaction.atomic():
        assert delegations_end_of(actor_id=COVER.id, actor=BEAT, reason="left") == 1
    refused(NotAllowed, lambda: vote(approval, COVER))


def test_money_by_delegation_asks_for_a_fresh_sign_in_as_the_holder_would(monkeypatch):
    from apps.core.permissions import REGISTRY

    strict = REGISTRY[VOTE].__class__.__new__(REGISTRY[VOTE].__class__)
    for name, value in (("code", VOTE), ("label", "vote"), ("step_up", True)):
        object.__setattr__(strict, name, value)
    monkeypatch.setitem(REGISTRY, VOTE, strict)
    from dataclasses import replace

    lends(AWAY, COVER)
    approval = ask(required=1)
    refused(StepUpRequired, lambda: vote(approval, replace(COVER, fresh=False)))
    refused(StepUpRequired, lambda: vote(approval, replace(FIRST, fresh=False)))


# beneficiaries, demotion


def test_whoever_gains_does_not_decide():
    approval = ask(beneficiary_ids=[FIRST.id])
    refused(Beneficiary, lambda: vote(approval, FIRST))


def test_the_vote_of_somebody_who_lost_the_permission_meanwhile_is_void(team):
    approval = ask(required=2)
    vote(approval, FIRST)
    team.left.add(FIRST.id)
    assert vote(approval, SECOND).state == "PENDING"
    assert (
        ApprovalVote.objects.get(voter_id=FIRST.id).void.reason == "no longer holds the permission"
    )
    assert vote(approval, THIRD).state == "APPROVED"


def test_a_stand_in_who_left_or_is_named_no_more_counts_no_more(team):
    for end in ("left", "over"):
        with later(days=1):
            given = lends(AWAY, COVER)
            approval = ask(required=2)
            vote(approval, COVER)
            if end == "left":
                team.left.add(COVER.id)
            else:
                team.left.clear()
                delegation_end(delegation_id=given.pk, actor=AWAY, reason="back early")
            assert vote(approval, SECOND).state == "PENDING"
            assert ApprovalVote.objects.get(approval=approval, voter_id=COVER.id).void
            assert vote(approval, THIRD).state == "APPROVED"
            team.left.clear()
            Delegation.objects.filter(ended_at=None).update(ended_at=clock.now())


def test_a_void_vote_does_not_come_back_in_its_round(team):
    approval = ask(required=3)
    vote(approval, FIRST)
    team.left.add(FIRST.id)
    vote(approval, SECOND)
    team.left.clear()
    refused(AlreadyVoted, lambda: vote(approval, FIRST))
    assert FIRST.id not in {person.id for person in eligible(approval).people}
    approval_revise(approval_id=approval.pk, payload={"amount": "90"}, actor=MAKER, reason="again")
    assert vote(approval, FIRST).state == "PENDING"


# rounds


def test_a_changed_payload_voids_the_votes_and_keeps_them_to_read():
    approval = ask(required=2)
    vote(approval, FIRST)
    revised = approval_revise(
        approval_id=approval.pk, payload={"amount": "90"}, actor=MAKER, reason="typo"
    )
    assert (revised.round, revised.payload) == (2, {"amount": "90"})
    old = ApprovalVote.objects.get()
    assert (old.round, old.void.by, old.void.reason) == (1, MAKER.id, "typo")
    assert [r.payload["amount"] for r in ApprovalRound.objects.all()] == ["100", "90"]
    vote(approval, FIRST)
    assert vote(approval, SECOND).state == "APPROVED"
    assert Mail.objects.get().to == "90"


def test_what_it_stands_on_is_read_again_before_it_runs(world):
    approval = ask(required=1)
    world.rate = "1.25"
    before = everything()
    with pytest.raises(StaleBase) as stale:
        vote(approval, FIRST)
    assert stale.value.code == "STALE_BASE"
    assert "rate: 1.10 → 1.25" in str(stale.value)
    assert everything() == before
    approval_rebase(approval_id=approval.pk, actor=MAKER, reason="the rate moved")
    assert vote(approval, FIRST).state == "APPROVED"


# taking, asking back


def test_what_somebody_has_taken_waits_for_them_until_their_time_is_over():
    approval = ask(required=1)
    approval_claim(approval_id=approval.pk, actor=FIRST)
    refused(Claimed, lambda: vote(approval, SECOND))
    with later(minutes=31):
        assert vote(approval, SECOND).state == "APPROVED"


def test_taking_over_says_why_and_tells_the_other_one():
    approval = ask(required=1)
    approval_claim(approval_id=approval.pk, actor=FIRST)
    approval_take_over(approval_id=approval.pk, actor=SECOND, reason="she is at lunch")
    refused(Claimed, lambda: vote(approval, FIRST))
    assert events("ApprovalTakenOver") == 1
    assert vote(approval, SECOND).state == "APPROVED"


def test_an_answer_comes_back_to_the_one_who_asked():
    approval = ask(required=1)
    approval_return(approval_id=approval.pk, actor=FIRST, reason="which invoice?")
    approval_answer(approval_id=approval.pk, actor=MAKER, reason="number 7")
    assert Approval.objects.get().claimed_now_by == FIRST.id
    refused(Claimed, lambda: vote(approval, SECOND))
    assert vote(approval, FIRST).state == "APPROVED"


# time


def test_what_nobody_decides_goes_to_the_next_role_and_becomes_more_urgent():
    approval = ask(required=1)
    stages = [{**approval.stages[0], "escalates_to": [SENIOR], "sla_hours": 4}]
    Approval.objects.update(stages=stages, stage_due_at=clock.now() + timedelta(hours=4))
    refused(NotAllowed, lambda: vote(approval, SENIOR_STAFF))
    assert approvals_escalate(actor=BEAT) == 0
    with later(hours=5):
        assert approvals_escalate(actor=BEAT) == 1
        assert approvals_escalate(actor=BEAT) == 0
        late = Approval.objects.get()
        assert (late.severity, late.escalations, events("ApprovalEscalated")) == ("HIGH", 1, 1)
        assert vote(approval, SENIOR_STAFF).state == "APPROVED"


def test_with_too_few_on_duty_it_is_escalated_at_once_and_says_so(team):
    team.left.update({SECOND.id, THIRD.id, AWAY.id})
    approval = ask(required=2)
    able = eligible(approval)
    assert ([person.id for person in able.people], able.needed, able.short) == ([FIRST.id], 2, True)
    assert approvals_escalate(actor=BEAT) == 1
    record = AuditRecord.objects.get(action="approval.escalate")
    assert record.reason == "1 on duty may decide, 2 are needed"


def test_who_is_away_counts_as_their_stand_in():
    lends(AWAY, COVER)
    people = {person.id for person in eligible(ask(required=1)).people}
    assert people == {FIRST.id, SECOND.id, THIRD.id, COVER.id}


# emergency


def in_need(**values: object) -> Approval:
    approval = ask(required=2, **values)
    Approval.objects.filter(pk=approval.pk).update(emergency_allowed=True, review_hours=12)
    return approval


def alone(approval: Approval, actor: Actor = VOTING_BOSS) -> Approval:
    return approval_execute_emergency(
        approval_id=approval.pk, actor=actor, reason="market is falling"
    )


def test_one_person_alone_does_it_once_and_another_one_must_review_it():
    approval = in_need()
    assert alone(approval).state == "APPROVED"
    review = EmergencyReview.objects.get()
    assert (review.executed_by, review.state, Mail.objects.count()) == (BOSS.id, "DUE", 1)
    boss = staff(9009, EMERGENCY, REVIEW)
    for own in (boss, staff(9001, REVIEW)):
        refused(
            OwnReview,
            lambda own=own: emergency_confirm(approval_id=approval.pk, actor=own, reason="fine"),
        )
    emergency_contest(approval_id=approval.pk, actor=SENIOR_STAFF, reason="there was time")
    done = EmergencyReview.objects.get()
    assert (done.state, done.reviewed_by, done.finding) == (
        "CONTESTED",
        SENIOR_STAFF.id,
        "there was time",
    )


def test_only_where_the_policy_allows_it_and_never_for_oneself():
    ordinary, urgent, own = ask(), in_need(), in_need(beneficiary_ids=[BOSS.id])
    refused(NoEmergencyPath, lambda: alone(ordinary))
    refused(NotAllowed, lambda: alone(urgent, FIRST))
    refused(Beneficiary, lambda: alone(own))


def test_an_emergency_spares_the_colleagues_and_not_the_permission():
    stranger = staff(9011, EMERGENCY, REVIEW)
    approval = in_need()
    refused(NotAllowed, lambda: alone(approval, stranger))


def test_some_changes_take_two_even_in_an_emergency(monkeypatch):
    maker = staff(9001, EMERGENCY, VOTE)
    approval = in_need()
    marked = replace(EFFECTS[ACTION], two_in_emergency=True)
    monkeypatch.setitem(EFFECTS, ACTION, marked)
    refused(SelfApproval, lambda: alone(approval, maker))
    monkeypatch.setitem(EFFECTS, ACTION, replace(marked, two_in_emergency=False))
    assert alone(approval, maker).state == "APPROVED"
    assert EFFECTS["rules.publish"].two_in_emergency


def test_a_review_that_nobody_does_is_told_of_once():
    alone(in_need())
    with later(hours=13):
        assert (reviews_remind(actor=BEAT), reviews_remind(actor=BEAT)) == (1, 0)
    assert events("EmergencyReviewOverdue") == 1


def test_the_database_itself_refuses_a_review_by_the_same_person():
    alone(in_need())
    with pytest.raises(IntegrityError, match="review_by_another"), transaction.atomic():
        EmergencyReview.objects.update(state="CONFIRMED", reviewed_by=BOSS.id)
