"""What services refuse to those who may not or do not see: found by reading every command once with fresh eyes."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.actor import Actor
from apps.core.errors import NotAllowed, NotVisible
from apps.core.models import AuditRecord
from apps.ib.models import ReferralLink
from apps.ib.services import link_create
from apps.ledger.models import Entry
from apps.ledger.services import entry_correct
from apps.orders.models import Order
from apps.orders.services import order_cancel
from apps.payments.models import DepositAttempt, Withdrawal
from apps.payments.services.deposits import deposit_start
from apps.payments.services.withdrawals import withdrawal_approve, withdrawal_reject
from apps.risk.errors import SwitchTargetUnknown
from apps.risk.models import KillSwitch
from apps.risk.services import kill_switch_trip
from apps.users.selectors import actor_for
from tests.architecture.house import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def _django_db_helper() -> None:
    """The house stays as well."""


@pytest.fixture
def elsewhere(house: House) -> Actor:
    """Everything is allowed to them, in the other company."""
    return actor_for(house.logins["elsewhere"])


def trail() -> int:
    return AuditRecord.objects.count()


def test_the_payment_page_of_another_client_is_not_asked_for(house: House) -> None:
    before = list(DepositAttempt.objects.order_by("pk").values())
    deposit = house.thing("payments.Deposit", "ana")
    with pytest.raises(NotVisible):
        deposit_start(deposit_id=deposit.pk, actor=house.omar.again())
    with pytest.raises(NotAllowed):
        deposit_start(deposit_id=deposit.pk, actor=actor_for(house.logins["support"]))
    assert list(DepositAttempt.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("vote", [withdrawal_approve, withdrawal_reject])
def test_nobody_votes_on_a_withdrawal_of_the_other_company(
    house: House, elsewhere: Actor, vote: Any
) -> None:
    withdrawal, before = house.thing("payments.Withdrawal", "ana"), trail()
    with pytest.raises(NotVisible):
        vote(withdrawal_id=withdrawal.pk, actor=elsewhere, reason="looks fine")
    assert Withdrawal.objects.get(pk=withdrawal.pk).state == withdrawal.state
    assert trail() == before


def test_links_are_made_by_their_partner_or_by_those_who_manage_partners(house: House) -> None:
    before = ReferralLink.objects.count()
    with pytest.raises(NotAllowed):
        link_create(
            partner_id=house.partners["north"].pk,
            code="mine",
            label="",
            actor=actor_for(house.logins["support"]),
        )
    assert ReferralLink.objects.count() == before


def test_books_are_corrected_only_by_those_who_see_all_of_them(
    house: House, elsewhere: Actor
) -> None:
    before = Entry.objects.count()
    with pytest.raises(NotVisible):
        entry_correct(entry_id=Entry.objects.order_by("pk")[0].pk, actor=elsewhere, reason="typo")
    assert Entry.objects.count() == before


@pytest.mark.parametrize("level", ["client", "account", "entity"])
def test_a_switch_is_not_thrown_on_what_one_does_not_see(
    house: House, elsewhere: Actor, level: str
) -> None:
    target = {"client": house.ana.client_id, "account": house.ana.account_id, "entity": "BOS-EU"}[
        level
    ]
    before = KillSwitch.objects.count()
    with pytest.raises(SwitchTargetUnknown):
        kill_switch_trip(level=level, target=str(target), actor=elsewhere, reason="looks odd")
    assert KillSwitch.objects.count() == before


def test_who_canceled_an_order_stands_in_the_trail_also_without_a_reason(house: House) -> None:
    resting = Order.objects.visible_to(house.omar.again()).live().get()
    order_cancel(order_id=resting.pk, actor=house.omar.again())
    record = AuditRecord.objects.filter(action="order.cancel").order_by("-id")[0]
    assert (record.subject_id, record.client_id) == (str(resting.pk), house.omar.client_id)


def test_closing_the_books_stands_in_the_trail(house: House) -> None:
    record = AuditRecord.objects.get(action="period.close")
    assert (record.actor_id, record.reason) == (house.brokerage.staff["finance"].id, "year end")
