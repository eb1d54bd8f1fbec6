"""Payouts: frozen lines, another person's word, and a statement that equals the ledger to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.clients.enums import LiftBy, RestrictionKind, RestrictionSource
from apps.clients.services import restriction_add
from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_vote
from apps.core.errors import DomainError, NotAllowed
from apps.core.models import Approval, OutboxEvent
from apps.ib.models import Accrual, Payout
from apps.ib.performance import balance, branch, clients_of, funnel, statement
from apps.ib.services import (
    accrual_reverse,
    partner_suspend,
    payout_cancel,
    payout_prepare,
    payout_submit,
)
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of

from .world import (
    MANAGER,
    actor_of,
    day,
    deal_event,
    earned,
    introduced_by,
    owed_by_ledger,
    staff,
    tell,
)

D = Decimal
FINANCE = staff("ib.prepare_payout", "ib.approve_payout", "core.vote_approval", number=11)
OTHER = staff("ib.prepare_payout", "ib.approve_payout", "core.vote_approval", number=12)


@pytest.fixture
def earning(tree, deliver_outbox, monkeypatch):
    """Three deals of one client through all tiers; rates for the euro are known."""
    monkeypatch.setattr(
        "apps.ib.services.payouts.convert",
        lambda money, to, side=None: type(money)(money.amount, to),
    )
    client = introduced_by(tree[2])
    for number, lots in enumerate(("3", "0.37", "1.11")):
        tell(event=deal_event(client, lots, day(number + 1)))
    deliver_outbox()
    return tree


def wallet(partner) -> Decimal:
    owner = f"client:{partner.client_id}"
    return balance_of(account_for(AccountKind.CLIENT_WALLET, partner.currency, owner)).posted.amount


def approved_payout(partner, until):
    payout = payout_prepare(partner_id=partner.id, cut_off=until, actor=FINANCE, reason="November")
    payout = payout_submit(payout_id=payout.id, actor=FINANCE, reason="November")
    approval_vote(approval_id=payout.approval_id, actor=OTHER, verdict="APPROVE", reason="checked")
    return Payout.objects.get(pk=payout.pk)


def test_a_payout_moves_what_is_owed_into_the_partners_wallet(earning):
    subsub = earning[2]
    assert owed_by_ledger(subsub) == D("17.92")
    payout = approved_payout(subsub, day(4))
    assert (payout.state, payout.lines, str(payout.money)) == ("PAID", 3, "17.92 USD")
    assert (wallet(subsub), owed_by_ledger(subsub)) == (D("17.92"), D("0.00"))
    assert set(Accrual.objects.filter(partner=subsub).values_list("state", flat=True)) == {"PAID"}
    assert owed_by_ledger(earning[0]) == D("13.44")


def test_the_one_who_prepared_it_cannot_agree_to_it(earning):
    payout = payout_prepare(
        partner_id=earning[2].id, cut_off=day(4), actor=FINANCE, reason="November"
    )
    payout = payout_submit(payout_id=payout.id, actor=FINANCE, reason="November")
    gain = Approval.objects.get(pk=payout.approval_id).beneficiary_ids
    assert gain == sorted([str(payout.partner_id), str(payout.partner.client_id)])
    events = OutboxEvent.objects.count()
    with pytest.raises(DomainError) as refusal:
        approval_vote(approval_id=payout.approval_id, actor=FINANCE, verdict="APPROVE", reason="me")
    assert refusal.value.code == "SELF_APPROVAL"
    assert Payout.objects.get(pk=payout.pk).state == "PENDING_APPROVAL"
    assert (wallet(earning[2]), OutboxEvent.objects.count()) == (D("0.00"), events)


def test_a_refused_payout_frees_its_lines_for_the_next(earning):
    payout = payout_prepare(
        partner_id=earning[2].id, cut_off=day(4), actor=FINANCE, reason="November"
    )
    payout = payout_submit(payout_id=payout.id, actor=FINANCE, reason="November")
    approval_vote(
        approval_id=payout.approval_id, actor=OTHER, verdict="REJECT", reason="wrong month"
    )
    assert Payout.objects.get(pk=payout.pk).state == "CANCELED"
    assert wallet(earning[2]) == D("0.00")
    assert approved_payout(earning[2], day(4)).lines == 3


def test_only_lines_before_the_cut_off_are_in_it(earning):
    payout = payout_prepare(partner_id=earning[2].id, cut_off=day(2), actor=FINANCE, reason="early")
    assert (payout.lines, str(payout.money)) == (1, "12.00 USD")


def test_one_open_payout_at_a_time_and_none_over_nothing(earning):
    first = payout_prepare(partner_id=earning[2].id, cut_off=day(4), actor=FINANCE, reason="x")
    for code, partner_id, until in (
        ("PAYOUT_OPEN", earning[2].id, day(4)),
        ("NOTHING_TO_PAY", earning[1].id, day(0)),
    ):
        with pytest.raises(DomainError) as refusal:
            payout_prepare(partner_id=partner_id, cut_off=until, actor=FINANCE, reason="x")
        assert refusal.value.code == code
    assert list(Payout.objects.values_list("id", flat=True)) == [first.id]
    payout_cancel(payout_id=first.id, actor=FINANCE, reason="mistake")
    with pytest.raises(DomainError) as refusal:
        payout_cancel(payout_id=first.id, actor=FINANCE, reason="again")
    assert refusal.value.code == "WRONG_STATE"
    with pytest.raises(NotAllowed):
        payout_prepare(partner_id=earning[2].id, cut_off=day(4), actor=MANAGER, reason="x")


def test_a_paid_line_that_is_reversed_comes_off_the_next_payout(earning, deliver_outbox):
    subsub = earning[2]
    approved_payout(subsub, day(4))
    paid = Accrual.objects.get(partner=subsub, amount_minor=148)
    correction = accrual_reverse(accrual_id=paid.id, actor=MANAGER, reason="bust")
    assert (Accrual.objects.get(pk=paid.pk).state, correction.state) == ("PAID", "CALCULATED")
    assert owed_by_ledger(subsub) == D("-1.48")

    client = introduced_by(subsub, at=day(1))
    tell(event=deal_event(client, "10", day(5)))
    deliver_outbox()
    payout = approved_payout(subsub, clock.now() + timedelta(seconds=1))
    assert str(payout.money) == "38.52 USD"
    assert owed_by_ledger(subsub) == D("0.00")


def test_the_statement_equals_its_lines_and_the_ledger_at_every_point(earning):
    subsub = earning[2]

    def november():
        return statement(
            subsub, start=day(0).date().replace(day=1), end=day(28).date(), actor=actor_of(subsub)
        )

    document = november()
    assert sum(line.money.amount for line in document.lines) == document.total.amount == D("17.92")
    assert document.closing.amount == owed_by_ledger(subsub) == balance(subsub).unpaid.amount

    with clock.frozen(day(10)):
        approved_payout(subsub, day(3))
        line = Accrual.objects.get(partner=subsub, amount_minor=444)
        accrual_reverse(accrual_id=line.id, actor=MANAGER, reason="bust")
    document = november()
    assert (str(document.total), str(document.paid), str(document.closing)) == (
        "13.48 USD",
        "13.48 USD",
        "0.00 USD",
    )
    assert document.closing.amount == owed_by_ledger(subsub) == D("0.00")
    assert earned(subsub) == D("13.48")


def test_the_funnel_and_the_tree_add_up_to_the_lines(earning):
    master, _sub, subsub = earning
    assert (funnel(subsub).registrations, funnel(subsub).trading) == (1, 1)
    assert str(funnel(master).earned) == "13.44 USD"
    root = branch(master, at=day(20))
    assert [
        node.partner.code for node in (root, root.children[0], root.children[0].children[0])
    ] == [
        "ivy",
        "sub",
        "subsub",
    ]
    leaf = root.children[0].children[0]
    assert (leaf.clients, leaf.lots, str(leaf.earned), str(leaf.brought)) == (
        1,
        D("4.48"),
        "17.92 USD",
        "13.44 USD",
    )
    assert root.network_lots == D("4.48")


def test_partners_see_their_clients_masked(earning):
    rows = clients_of(earning[2])
    assert [row.label[:4] for row in rows] == ["••••"]


@pytest.mark.parametrize("blocked", ["restricted", "suspended"])
def test_a_payout_is_not_paid_when_the_rules_changed_their_mind_before_the_agreement(
    earning, blocked
):
    """Blocked: refused. Suspended: one person's word, enough when it was asked for, is too little now."""
    partner = earning[2]
    payout = payout_prepare(partner_id=partner.id, cut_off=day(4), actor=FINANCE, reason="November")
    payout = payout_submit(payout_id=payout.id, actor=FINANCE, reason="November")
    if blocked == "restricted":
        restriction_add(
            client_id=partner.client_id,
            kind=RestrictionKind.NO_WITHDRAWAL,
            source=RestrictionSource.RISK,
            lift_by=LiftBy.STAFF,
            actor=Actor.system("tests"),
            reason="under investigation",
        )
    else:
        partner_suspend(partner_id=partner.id, actor=MANAGER, reason="under investigation")
    events = OutboxEvent.objects.count()

    with pytest.raises(DomainError) as refusal:
        approval_vote(
            approval_id=payout.approval_id, actor=OTHER, verdict="APPROVE", reason="checked"
        )

    assert (
        refusal.value.code == {"restricted": "PAYOUTS_BLOCKED", "suspended": "STALE_BASE"}[blocked]
    )
    assert Payout.objects.get(pk=payout.pk).state == "PENDING_APPROVAL"
    assert (wallet(partner), owed_by_ledger(partner)) == (D("0.00"), D("17.92"))
    assert OutboxEvent.objects.count() == events
