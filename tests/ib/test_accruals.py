"""Commission on deals: every tier of the day, once, in the ledger to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.core import clock
from apps.core.commands import joined
from apps.core.errors import DomainError, NotAllowed, NotVisible
from apps.core.models import Delivery, OutboxEvent
from apps.ib.models import Accrual
from apps.ib.reactions import accrue_commission
from apps.ib.selectors import waterfall
from apps.ib.services import (
    LineDraft,
    accrual_release,
    accrual_reverse,
    client_move,
    partner_suspend,
    plan_version_publish,
)
from apps.ledger.models import Entry
from apps.ledger.selectors import total_of

from .world import (
    MANAGER,
    SYSTEM,
    actor_of,
    client_of,
    day,
    deal_event,
    earned,
    introduced_by,
    owed_by_ledger,
    partner,
    plan,
    staff,
    tell,
)

D = Decimal


def test_three_lots_pay_nine_nine_and_twelve_through_three_tiers(tree, deliver_outbox):
    _master, _sub, subsub = tree
    client = introduced_by(subsub)
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()

    assert [earned(each) for each in tree] == [D("9.00"), D("9.00"), D("12.00")]
    assert [owed_by_ledger(each) for each in tree] == [D("9.00"), D("9.00"), D("12.00")]
    assert str(total_of("IB_COMMISSION", "USD")) == "30.00 USD"


def test_a_deal_told_again_and_again_pays_once(tree, deliver_outbox):
    client = introduced_by(tree[2])
    event = deal_event(client, "3", day(1))
    tell(event=event)
    deliver_outbox()
    lines = list(Accrual.objects.values_list("id", "amount_minor", "inputs").order_by("id"))

    tell(event=event)
    Delivery.objects.filter(handler="ib.accrue_commission").update(
        state="PENDING", next_at=clock.now()
    )
    deliver_outbox()
    with joined():
        accrue_commission(event)

    assert list(Accrual.objects.values_list("id", "amount_minor", "inputs").order_by("id")) == lines
    assert Entry.objects.filter(kind="ib.accrual").count() == 1
    assert str(total_of("IB_PAYABLE", "USD")) == "30.00 USD"


def test_a_position_closed_in_two_deals_pays_each_deals_own_partner(tree, deliver_outbox):
    """1.00 lot is closed 0.30 + 0.70, and the client moves to another partner in between."""
    master, sub, subsub = tree
    other = partner("other", plan("five", "5"))
    client = introduced_by(subsub)
    first = deal_event(client, "0.30", day(1), entry="OUT")
    second = deal_event(client, "0.70", day(3), entry="OUT")
    with clock.frozen(day(2)):
        client_move(client_id=client.id, partner_id=other.id, actor=MANAGER, reason="asked for it")

    for event in (second, first, second, first):
        tell(event=event)
        deliver_outbox()

    assert earned(subsub) == D("1.20")
    assert earned(sub) == D("0.90")
    assert earned(master) == D("0.90")
    assert earned(other) == D("3.50")
    assert Accrual.objects.count() == 4
    assert str(total_of("IB_PAYABLE", "USD")) == "6.50 USD"


def test_a_client_of_nobody_pays_nobody(market, deliver_outbox):
    tell(event=deal_event(client_of("BOS-INT"), "3", day(1)))
    deliver_outbox()
    assert Accrual.objects.count() == 0
    assert Entry.objects.count() == 0


def test_a_suspended_partner_earns_nothing_and_nobody_else_earns_more(tree, deliver_outbox):
    _master, sub, subsub = tree
    client = introduced_by(subsub)
    partner_suspend(partner_id=sub.id, actor=MANAGER, reason="under review")
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()
    assert [earned(each) for each in tree] == [D("9.00"), D("0"), D("12.00")]


def test_new_rates_leave_what_was_earned_before_as_it_was(tree, deliver_outbox):
    master, _sub, subsub = tree
    client = introduced_by(subsub)
    tell(event=deal_event(client, "1", day(1)))
    plan_version_publish(
        plan_code="four",
        lines=[LineDraft(kind="PER_LOT", rates=("6",))],
        valid_from=day(2),
        actor=MANAGER,
        reason="better terms",
    )
    tell(event=deal_event(client, "1", day(3)))
    deliver_outbox()
    per_deal = Accrual.objects.filter(partner=subsub).order_by("earned_at")
    assert [row.money.amount for row in per_deal] == [D("4.00"), D("6.00")]
    assert [row.plan_version.number for row in per_deal] == [1, 2]
    assert earned(master) == D("6.00")


def test_spread_share_is_a_part_of_what_the_client_paid(market, deliver_outbox):
    ivy = partner("ivy", plan("spread", "0.40", kind="SPREAD_SHARE"))
    client = introduced_by(ivy)
    tell(event=deal_event(client, "1", day(1), spread_cost=D("12.00")))
    deliver_outbox()
    assert earned(ivy) == D("4.80")


def test_a_line_explains_itself(tree, deliver_outbox):
    client = introduced_by(tree[2])
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()
    line = Accrual.objects.get(partner=tree[1])
    assert [(step.label, step.figure) for step in waterfall(line)] == [
        ("Traded", "3 lots EURUSD"),
        ("Standard lots", "3.00"),
        ("Rate", "7.00 USD / lot"),
        ("Base × rate", "21.00 USD"),
        ("Less what partners below earn", "−12.00 USD"),
        ("Before rounding", "9.00 USD"),
        ("Amount", "9.00 USD"),
    ]


def test_a_reversed_line_is_answered_by_its_negative_and_the_ledger_follows(tree, deliver_outbox):
    master, _sub, subsub = tree
    client = introduced_by(subsub)
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()
    line = Accrual.objects.get(partner=subsub)
    correction = accrual_reverse(accrual_id=line.id, actor=MANAGER, reason="deal busted")
    assert (correction.money.amount, correction.corrects_id) == (D("-12.00"), line.id)
    assert (earned(subsub), owed_by_ledger(subsub)) == (D(0), D("0.00"))
    assert owed_by_ledger(master) == D("9.00")

    before = OutboxEvent.objects.count()
    with pytest.raises(DomainError) as refusal:
        accrual_reverse(accrual_id=line.id, actor=MANAGER, reason="again")
    assert refusal.value.code == "ALREADY_REVERSED"
    assert OutboxEvent.objects.count() == before
    assert Accrual.objects.filter(partner=subsub).count() == 2


def test_the_database_refuses_a_changed_a_deleted_and_a_doubled_line(tree, deliver_outbox):
    client = introduced_by(tree[2])
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()
    line = Accrual.objects.get(partner=tree[2])
    with pytest.raises(DatabaseError), transaction.atomic():
        Accrual.objects.filter(pk=line.pk).update(amount_minor=999)
    with pytest.raises(DatabaseError), transaction.atomic():
        line.delete()
    double = Accrual.objects.get(pk=line.pk)
    double.id = tree[0].id
    with pytest.raises(IntegrityError), transaction.atomic():
        double.save(force_insert=True)
    assert Accrual.objects.get(pk=line.pk).amount_minor == 1200


def test_reversal_needs_the_permission_and_the_scope(tree, deliver_outbox):
    client = introduced_by(tree[2])
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()
    line = Accrual.objects.get(partner=tree[2])
    with pytest.raises(NotAllowed):
        accrual_reverse(accrual_id=line.id, actor=staff("ib.view_partner"), reason="x")
    from dataclasses import replace

    stranger = replace(actor_of(tree[0]), permissions=frozenset({"ib.reverse_accrual"}))
    with pytest.raises(NotVisible):
        accrual_reverse(accrual_id=line.id, actor=stranger, reason="x")
    with pytest.raises(DomainError):
        accrual_release(accrual_id=line.id, actor=MANAGER, reason="was never held")
    assert earned(tree[2]) == D("12.00")


def test_a_partner_sees_its_own_lines_and_no_others(tree, deliver_outbox):
    client = introduced_by(tree[2])
    tell(event=deal_event(client, "3", day(1)))
    deliver_outbox()
    seen = Accrual.objects.visible_to(actor_of(tree[1]))
    assert [row.partner_id for row in seen] == [tree[1].id]
    assert Accrual.objects.visible_to(staff(level="NONE")).count() == 0


def test_self_referral_earns_nothing(market, deliver_outbox):
    ivy = partner("ivy", plan("ten", "10"))
    from apps.clients.models import Client
    from apps.ib.models import Attribution

    own = Client.objects.get(pk=ivy.client_id)
    Attribution(
        client=own, partner=ivy, source="MANUAL", valid_from=day(0) - timedelta(days=1)
    ).save_as(SYSTEM, "test")
    tell(event=deal_event(own, "3", day(1)))
    deliver_outbox()
    assert Accrual.objects.count() == 0
