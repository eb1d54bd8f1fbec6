"""Golden scenario 4: the provider times out on a payout: unknown, never sent again until asked, then settled once."""

from __future__ import annotations

from apps.core.outbox import deliver_all
from apps.ledger.models import Entry
from apps.payments.services.payouts import withdrawal_ask, withdrawal_submit
from apps.payments.services.withdrawals import withdrawal_approve
from tests.payments.conftest import house as house
from tests.payments.conftest import platform as platform
from tests.payments.conftest import psp as psp
from tests.payments.world import (
    ana,
    asks_to_withdraw,
    books_are_sound,
    deposited,
    finance,
    fresh,
    wallet,
)


def test_a_payout_without_an_answer_is_asked_about_and_paid_once(house):
    client = ana()
    deposited(house, client, "1000.00")
    withdrawal = asks_to_withdraw(client, "400.00")
    for number in range(withdrawal.approvals_required):
        withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(number), reason="in order")
    house.fault("timeout_create")
    deliver_all()
    assert fresh(withdrawal).state == "UNKNOWN"
    assert wallet(client) == ("1000.00", "600.00")

    for _ in range(3):
        withdrawal_submit(withdrawal_id=withdrawal.pk)
    assert len(house.provider.store.find("payout", withdrawal.reference)) == 1
    assert fresh(withdrawal).state == "SENT"

    house.knocks()
    house.knocks()
    withdrawal_ask(withdrawal_id=withdrawal.pk)

    row = fresh(withdrawal)
    assert (row.state, row.outcome) == ("SETTLED", "SETTLED")
    assert wallet(client) == ("600.00", "600.00")
    assert Entry.objects.filter(kind="withdrawal.settle").count() == 1
    assert books_are_sound()
