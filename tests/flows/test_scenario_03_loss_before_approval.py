"""Golden scenario 3: a position loses money between the request and the approval: the recheck blocks and says why."""

from __future__ import annotations

import pytest

from apps.core import clock
from apps.core.outbox import deliver_all
from apps.payments.errors import ChecksFailed
from apps.payments.selectors import checks_of
from apps.payments.services.transfers import transfer_request
from apps.payments.services.withdrawals import withdrawal_approve
from tests.accounts import world as accounts
from tests.orders import floor
from tests.orders.conftest import TRADING_HOURS
from tests.payments.conftest import house as house
from tests.payments.conftest import platform as platform
from tests.payments.conftest import psp as psp
from tests.payments.world import (
    ana,
    as_client,
    asks_to_withdraw,
    books_are_sound,
    deposited,
    finance,
    fresh,
    key,
    traces,
    usd,
    wallet,
)


@pytest.fixture
def trading_hours():
    with clock.frozen(TRADING_HOURS):
        yield


def test_a_withdrawal_is_refused_when_equity_fell_after_the_request(trading_hours, house):
    client = ana()
    deposited(house, client, "5000.00")
    account = accounts.opens(client)
    deliver_all()
    account = fresh(account)
    transfer_request(
        client_id=client.pk,
        account_id=account.pk,
        direction="TO_ACCOUNT",
        amount=usd("4000.00"),
        request_key=key(),
        actor=as_client(client),
    )
    deliver_all()
    floor.price("EURUSD", "1.10000", "1.10010")
    floor.trades(account, "BUY", "1.00")
    withdrawal = asks_to_withdraw(client, "900.00")
    assert withdrawal.state == "PENDING_APPROVAL"

    floor.price("EURUSD", "1.06500", "1.06510")
    before = traces()
    with pytest.raises(ChecksFailed) as refusal:
        withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(), reason="looks fine")

    assert f"{account.login} is in margin call" in str(refusal.value)
    assert fresh(withdrawal).state == "PENDING_APPROVAL"
    assert traces() == before
    assert wallet(client) == ("1000.00", "100.00")
    assert [row.result for row in checks_of(withdrawal) if row.code == "TRADING_RISK"] == ["FAIL"]

    floor.price("EURUSD", "1.10000", "1.10010")
    withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(), reason="margin is back")
    assert fresh(withdrawal).state == "APPROVED"
    assert books_are_sound()
