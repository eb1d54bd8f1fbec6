"""Who stands above whom, whose client is whose, and what nobody may do to either."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError, transaction

from apps.core import clock
from apps.core.approvals import approval_vote
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.models import OutboxEvent
from apps.ib.enums import AgreementState
from apps.ib.models import Attribution, Partner, PartnerAgreement, PlanAssignment, TreeEdge
from apps.ib.selectors import ancestors, attribution_at
from apps.ib.services import (
    attribution_lock,
    attribution_move,
    client_attribute,
    client_move,
    link_create,
    partner_apply,
    partner_approve,
    partner_move,
    partner_reactivate,
    partner_reject,
    partner_suspend,
    partner_terminate,
    plan_assign,
)

from .world import (
    MANAGER,
    START,
    SYSTEM,
    actor_of,
    client_of,
    day,
    introduced_by,
    partner,
    plan,
    staff,
)


def refused(code, function, /, **values):
    before = _everything()
    with pytest.raises(DomainError) as refusal:
        function(**values)
    assert refusal.value.code == code
    assert _everything() == before


def _everything():
    return (
        list(TreeEdge.objects.order_by("id").values_list("id", "valid_to")),
        list(Attribution.objects.order_by("id").values_list("id", "valid_to")),
        list(PlanAssignment.objects.order_by("id").values_list("id", "valid_to")),
        list(PartnerAgreement.objects.order_by("id").values_list("id", "state")),
        Partner.objects.count(),
        OutboxEvent.objects.count(),
    )


def test_whoever_was_introduced_stands_below_from_the_first_day(tree):
    master, sub, subsub = tree
    assert ancestors(subsub.id, clock.now()) == [subsub.id, sub.id, master.id]
    assert ancestors(subsub.id, START - timedelta(days=60)) == [subsub.id]


def test_a_branch_moves_from_a_day_on_and_the_past_stays(tree):
    master, sub, subsub = tree
    other = partner("other", "ten")
    partner_move(
        partner_id=sub.id, parent_id=other.id, valid_from=day(5), actor=MANAGER, reason="new office"
    )
    assert ancestors(subsub.id, day(4)) == [subsub.id, sub.id, master.id]
    assert ancestors(subsub.id, day(5)) == [subsub.id, sub.id, other.id]


def test_a_partner_goes_to_the_top(tree):
    _master, sub, subsub = tree
    partner_move(partner_id=sub.id, actor=MANAGER, reason="on its own")
    assert ancestors(subsub.id, clock.now()) == [subsub.id, sub.id]


def test_a_circle_is_refused_by_the_service_and_by_the_database(tree):
    master, sub, subsub = tree
    refused(
        "TREE_CYCLE",
        partner_move,
        partner_id=master.id,
        parent_id=subsub.id,
        actor=MANAGER,
        reason="x",
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        TreeEdge.objects.create(parent=subsub, child=master, valid_from=day(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        TreeEdge.objects.create(parent=sub, child=sub, valid_from=day(1))


def test_the_database_refuses_two_parents_two_plans_and_two_partners_at_one_instant(tree):
    master, sub, subsub = tree
    client = introduced_by(subsub)
    with pytest.raises(IntegrityError), transaction.atomic():
        TreeEdge.objects.create(parent=master, child=subsub, valid_from=day(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Attribution.objects.create(client=client, partner=sub, source="MANUAL", valid_from=day(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanAssignment.objects.create(
            partner=sub, plan=master.assignments.get().plan, valid_from=day(1)
        )


def test_a_move_into_a_time_that_is_planned_already_is_refused(tree):
    master, sub, _subsub = tree
    partner_move(partner_id=sub.id, parent_id=None, valid_from=day(9), actor=MANAGER, reason="x")
    partner_move(
        partner_id=sub.id, parent_id=master.id, valid_from=day(12), actor=MANAGER, reason="x"
    )
    refused(
        "TREE_OVERLAP",
        partner_move,
        partner_id=sub.id,
        parent_id=master.id,
        valid_from=day(10),
        actor=MANAGER,
        reason="x",
    )


def test_the_first_partner_keeps_the_client(tree):
    master, sub, _subsub = tree
    client = introduced_by(sub)
    assert client_attribute(client_id=client.id, partner_code=master.code, actor=SYSTEM) is None
    assert client_attribute(client_id=client.id, partner_code="nobody", actor=SYSTEM) is None
    assert attribution_at(client.id, clock.now()).partner_id == sub.id


def test_a_link_of_its_own_leads_to_the_partner(tree):
    master, *_ = tree
    link_create(partner_id=master.id, code="Summer Video", label="Video", actor=actor_of(master))
    client = client_of("BOS-INT")
    client_attribute(client_id=client.id, partner_code="summer-video", actor=SYSTEM)
    assert attribution_at(client.id, clock.now()).partner_id == master.id
    refused(
        "CODE_TAKEN",
        link_create,
        partner_id=master.id,
        code="sub",
        label="x",
        actor=actor_of(master),
    )
    refused(
        "NOT_FOUND", link_create, partner_id=tree[1].id, code="y", label="x", actor=actor_of(master)
    )


def test_after_the_first_deposit_a_client_moves_only_when_a_second_person_agrees(tree):
    master, sub, _subsub = tree
    client = introduced_by(sub)
    attribution_lock(client_id=client.id, at=clock.now(), actor=SYSTEM)
    refused(
        "ATTRIBUTION_LOCKED",
        client_move,
        client_id=client.id,
        partner_id=master.id,
        actor=MANAGER,
        reason="x",
    )
    held = attribution_at(client.id, clock.now())
    approval = attribution_move(
        attribution_id=held.id,
        partner_id=master.id,
        actor=MANAGER,
        reason="client asked in writing",
    )
    assert attribution_at(client.id, clock.now()).partner_id == sub.id
    gain = {str(client.id), str(master.id), str(master.client_id)}
    assert set(approval.beneficiary_ids) == gain
    refused(
        "SELF_APPROVAL",
        approval_vote,
        approval_id=approval.id,
        actor=MANAGER,
        verdict="APPROVE",
        reason="x",
    )
    second = staff("ib.manage_tree", "core.vote_approval", number=8)
    approval_vote(
        approval_id=approval.id, actor=second, verdict="APPROVE", reason="seen the letter"
    )
    moved = attribution_at(client.id, clock.now())
    assert (moved.partner_id, moved.locked) == (master.id, True)


def test_a_sub_partner_cannot_get_more_than_the_partner_above(tree):
    _master, sub, _subsub = tree
    plan("twelve", "12")
    refused(
        "RATE_ABOVE_PARENT",
        plan_assign,
        partner_id=sub.id,
        plan_code="twelve",
        actor=MANAGER,
        reason="x",
    )


def test_becoming_a_partner_twice_or_under_a_taken_code_is_refused(tree):
    master, *_ = tree
    ask = {"name": "x", "currency": "USD", "actor": SYSTEM}
    refused("ALREADY_PARTNER", partner_apply, client_id=master.client_id, code="again", **ask)
    refused("CODE_TAKEN", partner_apply, client_id=client_of("BOS-INT").id, code="IVY", **ask)
    refused("INVALID_INPUT", partner_apply, client_id=client_of("BOS-INT").id, code="!!", **ask)


COMMANDS = {
    "approve": lambda p: partner_approve(
        partner_id=p, plan_code="ten", actor=MANAGER, reason="table"
    ),
    "reject": lambda p: partner_reject(partner_id=p, actor=MANAGER, reason="table"),
    "suspend": lambda p: partner_suspend(partner_id=p, actor=MANAGER, reason="table"),
    "reactivate": lambda p: partner_reactivate(partner_id=p, actor=MANAGER, reason="table"),
    "terminate": lambda p: partner_terminate(partner_id=p, actor=MANAGER, reason="table"),
}
LEADS_TO = {
    ("APPLIED", "approve"): "ACTIVE",
    ("UNDER_REVIEW", "approve"): "ACTIVE",
    ("APPLIED", "reject"): "REJECTED",
    ("UNDER_REVIEW", "reject"): "REJECTED",
    ("ACTIVE", "suspend"): "SUSPENDED",
    ("APPROVED", "reactivate"): "ACTIVE",
    ("SUSPENDED", "reactivate"): "ACTIVE",
    ("ACTIVE", "terminate"): "TERMINATED",
    ("SUSPENDED", "terminate"): "TERMINATED",
    ("APPROVED", "terminate"): "TERMINATED",
}


def test_every_pair_of_agreement_state_and_command_is_a_move_or_a_refusal(market):
    plan("ten", "10")
    applied = partner("ivy")
    for state, name in product(AgreementState.values, COMMANDS):
        PlanAssignment.objects.filter(partner=applied).delete()
        PartnerAgreement.objects.filter(partner=applied).update(state=state)
        events = OutboxEvent.objects.count()
        try:
            COMMANDS[name](applied.id)
        except WrongState:
            assert (state, name) not in LEADS_TO
            assert PartnerAgreement.objects.get(partner=applied).state == state
            assert OutboxEvent.objects.count() == events
        else:
            assert PartnerAgreement.objects.get(partner=applied).state == LEADS_TO[state, name]


def test_managing_partners_needs_the_permission(tree):
    nobody = staff("ib.view_partner")
    for command in (partner_suspend, partner_reject, partner_terminate, partner_move):
        with pytest.raises(NotAllowed):
            command(partner_id=tree[1].id, actor=nobody, reason="x")
