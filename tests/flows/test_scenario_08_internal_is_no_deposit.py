"""Golden scenario 8: money between own accounts is no deposit: no figure, no commission event, no bonus counts it."""

from __future__ import annotations

from apps.core.models import OutboxEvent
from apps.core.outbox import deliver_all
from apps.ledger.models import Entry
from apps.payments.models import Deposit, Transfer, Withdrawal
from apps.payments.selectors import deposits_arrived, net_deposits
from apps.payments.services.transfers import transfer_request
from tests.accounts import world as accounts
from tests.payments.conftest import house as house
from tests.payments.conftest import platform as platform
from tests.payments.conftest import psp as psp
from tests.payments.world import (
    ana,
    as_client,
    books_are_sound,
    deposited,
    fresh,
    key,
    trading_money,
    usd,
    wallet,
)


def test_moving_ones_own_money_changes_no_deposit_figure(house):
    client = ana()
    first = deposited(house, client, "1000.00")
    account = accounts.opens(client)
    deliver_all()
    events = OutboxEvent.objects.filter(name="payments.DepositCredited").count()

    for direction, amount in (
        ("TO_ACCOUNT", "600.00"),
        ("FROM_ACCOUNT", "250.00"),
        ("TO_ACCOUNT", "50.00"),
    ):
        transfer = transfer_request(
            client_id=client.pk,
            account_id=account.pk,
            direction=direction,
            amount=usd(amount),
            request_key=key(),
            actor=as_client(client),
        )
        deliver_all()
        assert fresh(transfer).state == "DEST_CREDITED"

    assert (wallet(client)[0], trading_money(account)) == ("600.00", "400.00")
    assert net_deposits(client.pk) == [usd("1000.00")]
    assert list(deposits_arrived(client.pk)) == [first]
    assert (Deposit.objects.count(), Withdrawal.objects.count(), Transfer.objects.count()) == (
        1,
        0,
        3,
    )
    assert OutboxEvent.objects.filter(name="payments.DepositCredited").count() == events == 1
    moved = Entry.objects.filter(kind__startswith="transfer.").count()
    assert moved == 6
    assert books_are_sound()


def test_a_deposit_after_transfers_is_still_known_as_the_second(house):
    client = ana()
    deposited(house, client, "100.00")
    assert not deposited(house, client, "100.00").first_deposit
