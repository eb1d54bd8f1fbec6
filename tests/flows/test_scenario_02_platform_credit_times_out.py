"""Golden scenario 2: the platform credit times out although the platform did it: adopted, not doubled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.accounts.errors import PlatformPending
from apps.accounts.models import PlatformOperation
from apps.core.outbox import deliver_all
from apps.orders.selectors import account_equity
from apps.payments.services.transfers import transfer_advance, transfer_request
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


def test_what_the_platform_did_without_saying_so_is_adopted(house, platform):
    client = ana()
    deposited(house, client, "1000.00")
    account = accounts.opens(client)
    deliver_all()
    transfer = transfer_request(
        client_id=client.pk,
        account_id=account.pk,
        direction="TO_ACCOUNT",
        amount=usd("600.00"),
        request_key=key(),
        actor=as_client(client),
    )
    platform.faults.add({"kind": "timeout_after"})

    with pytest.raises(PlatformPending):
        transfer_advance(transfer_id=transfer.pk)

    assert Decimal(accounts.balance_on(account, platform)) == Decimal("600.00")
    assert (fresh(transfer).state, trading_money(account)) == ("IN_TRANSIT", "0.00")
    assert wallet(client) == ("400.00", "400.00")

    for _ in range(3):
        transfer_advance(transfer_id=transfer.pk)
        deliver_all()

    assert fresh(transfer).state == "DEST_CREDITED"
    assert Decimal(accounts.balance_on(account, platform)) == Decimal("600.00")
    assert trading_money(account) == "600.00"
    assert account_equity(account.pk).balance == usd("600.00")
    assert PlatformOperation.objects.get(reference=transfer.reference).adopted
    assert books_are_sound()
