"""Policies as data: read from a reviewed file, changed by two people, in force from then on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.core.actor import Actor
from apps.core.approvals import (
    EFFECTS,
    approval_vote,
    policies_load,
    policy_propose,
)
from apps.core.approvals.errors import PolicyInvalid, PolicyWaits
from apps.core.approvals.policies import filed, in_base, policy_data, policy_for, policy_words
from apps.core.errors import NotAllowed, SelfApproval, StaleBase
from apps.core.models import Approval, ApprovalPolicy
from apps.core.money import Money
from apps.core.permissions import CHANGE_POLICY
from tests.core.approving import MAKER, ask, paying, staff

pytestmark = pytest.mark.django_db
ACTION = "ledger.correct_entry"
AUTHOR, OTHER = staff(9001, CHANGE_POLICY.code), staff(9002, CHANGE_POLICY.code)
STRICT = {"bands": [{"stages": [{"permissions": ["ledger.correct_entry"], "need": 3}]}]}
LOADER = Actor.system("load")


def test_every_policy_of_the_file_can_be_used_and_belongs_to_an_action():
    for action, content in filed().items():
        assert policy_data(dict(content)).bands
        assert action in EFFECTS


def test_loading_twice_makes_each_version_once():
    assert policies_load(actor=LOADER) == len(filed())
    assert policies_load(actor=LOADER) == 0
    assert set(ApprovalPolicy.objects.values_list("state", "version")) == {("ACTIVE", 1)}


def test_a_change_of_a_policy_takes_two_people_and_shows_before_and_after():
    policies_load(actor=LOADER)
    asked = policy_propose(action=ACTION, content=STRICT, actor=AUTHOR, reason="audit finding")
    assert policy_for(ACTION).version == f"{ACTION} v1"
    bands = asked.diff[0]
    assert bands["after"] == ["any amount: 3 × Post correction entries"]
    assert bands["before"][0].startswith("up to 100,000 EUR: 1 × Post correction entries")
    with pytest.raises(SelfApproval):
        approval_vote(approval_id=asked.pk, actor=AUTHOR, verdict="APPROVE", reason="mine")
    approval_vote(approval_id=asked.pk, actor=OTHER, verdict="APPROVE", reason="as agreed")
    states = dict(ApprovalPolicy.objects.filter(action=ACTION).values_list("version", "state"))
    assert states == {1: "SUPERSEDED", 2: "ACTIVE"}
    assert policy_for(ACTION).version == f"{ACTION} v2"


def test_a_rejected_proposal_is_discarded_and_another_may_follow():
    policies_load(actor=LOADER)
    asked = policy_propose(action=ACTION, content=STRICT, actor=AUTHOR, reason="finding")
    with pytest.raises(PolicyWaits):
        policy_propose(action=ACTION, content=STRICT, actor=OTHER, reason="mine too")
    approval_vote(approval_id=asked.pk, actor=OTHER, verdict="REJECT", reason="too strict")
    states = list(
        ApprovalPolicy.objects.filter(action=ACTION)
        .order_by("version")
        .values_list("state", flat=True)
    )
    assert states == ["ACTIVE", "DISCARDED"]
    assert (
        policy_propose(action=ACTION, content=STRICT, actor=AUTHOR, reason="again").state
        == "PENDING"
    )


def test_a_proposal_on_a_version_that_gave_way_meanwhile_is_stale():
    policies_load(actor=LOADER)
    asked = policy_propose(action=ACTION, content=STRICT, actor=AUTHOR, reason="finding")
    Approval.objects.filter(pk=asked.pk).update(base={"version in force": 7}, round=2)
    with pytest.raises(StaleBase):
        approval_vote(approval_id=asked.pk, actor=OTHER, verdict="APPROVE", reason="as agreed")
    assert policy_for(ACTION).version == f"{ACTION} v1"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"bands": []}, "there is no band"),
        ({"bands": [{"stages": []}]}, "it has no stage"),
        ({"bands": [{"stages": [{"permissions": ["no.such"]}]}]}, "nobody declares no.such"),
        (
            {"bands": [{"up_to": 5, "stages": [{"permissions": ["ledger.correct_entry"]}]}]},
            "the last band",
        ),
        (STRICT | {"nobody": True}, "nobody"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_with_the_reason(content, problem):
    with pytest.raises(PolicyInvalid) as refused:
        policy_propose(action=ACTION, content=content, actor=AUTHOR, reason="try")
    assert problem in str(refused.value)
    assert ApprovalPolicy.objects.count() == Approval.objects.count() == 0


def test_changing_policies_needs_its_permission():
    with pytest.raises(NotAllowed):
        policy_propose(action=ACTION, content=STRICT, actor=staff(9003), reason="try")
    assert ApprovalPolicy.objects.count() == 0


def test_what_a_version_says_never_changes():
    policies_load(actor=LOADER)
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        ApprovalPolicy.objects.filter(action=ACTION).update(content={})
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        ApprovalPolicy.objects.all().delete()


def test_an_edit_of_the_policy_changes_nothing_that_is_under_way():
    with paying():
        approval = ask(required=2)
        content = {"bands": [{"stages": [{"permissions": ["core.vote_approval"], "need": 5}]}]}
        ApprovalPolicy(
            action="test.pay",
            version=1,
            content=content,
            checksum="x",
            source="FILE",
            state="ACTIVE",
        ).save_as(LOADER, "test")
        assert Approval.objects.get(pk=approval.pk).required == 2
        assert ask(required=2).required == 5


@pytest.mark.parametrize(
    ("amount", "given", "currency", "expected"),
    [
        (Money.of(5, "EUR"), None, "EUR", (Decimal("5.00"), "EUR")),
        (Money.of(5, "USD"), Money.of(4, "EUR"), "EUR", (Decimal("4.00"), "EUR")),
        (Money.of(5, "USD"), Money.of(4, "GBP"), "", (Decimal("4.00"), "GBP")),
        (Money.of(5, "USD"), None, "", (None, "")),
        (Money.of(5, "XAF"), None, "EUR", (None, "EUR")),
        (None, None, "EUR", (None, "EUR")),
    ],
)
def test_an_amount_that_nobody_can_convert_is_unknown(amount, given, currency, expected):
    assert in_base(amount, given, currency) == expected


def test_a_policy_reads_as_sentences():
    data = policy_data(dict(filed()["ledger.correct_entry"]))
    assert policy_words(data)[1] == (
        "any amount: 1 × Post correction entries, then 1 × Decide on what was escalated and on the largest amounts"
    )
    assert MAKER.id
