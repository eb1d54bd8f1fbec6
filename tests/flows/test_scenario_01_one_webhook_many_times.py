"""Golden scenario 1: the same message three times, out of order, one of them after the intent expired: one credit."""

from __future__ import annotations

from datetime import timedelta

from apps.core import clock
from apps.core.models import OutboxEvent
from apps.ledger.enums import AccountKind
from apps.ledger.models import Entry
from apps.ledger.selectors import total_of
from apps.payments.models import WebhookOutcome
from apps.payments.services.deposits import deposits_expire
from tests.payments.conftest import house as house
from tests.payments.conftest import platform as platform
from tests.payments.conftest import psp as psp
from tests.payments.world import (
    ana,
    asks_to_deposit,
    books_are_sound,
    finance,
    fresh,
    payment_of,
    usd,
    wallet,
)


def test_the_same_message_three_times_out_of_order_and_late_credits_once(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    with clock.frozen(clock.now() + timedelta(hours=1)):
        deposits_expire(actor=finance())
    assert fresh(deposit).payment == "EXPIRED"

    house.fault("duplicate", copies=3)
    house.fault("reorder")
    house.pays(deposit)
    for _ in range(4):
        house.knocks()
    house.provider.store.resend(payment_of(deposit))
    house.knocks()

    row = fresh(deposit)
    assert (row.payment, row.credit) == ("SUCCEEDED", "CREDITED")
    assert wallet(client) == ("250.00", "250.00")
    assert Entry.objects.filter(kind="deposit.credit").count() == 1
    assert OutboxEvent.objects.filter(name="payments.DepositCredited").count() == 1
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("250.00")
    outcomes = sorted(WebhookOutcome.objects.values_list("outcome", flat=True))
    assert outcomes == ["APPLIED", "NO_CHANGE"]
    assert books_are_sound()
