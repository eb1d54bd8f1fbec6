"""Money inside the house, over systems that answer late, twice or not at all."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.accounts.errors import PlatformPending, WrongCurrency
from apps.core import clock
from apps.core.errors import Busy, Conflict, NotVisible
from apps.core.outbox import deliver_all
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import total_of
from apps.orders.selectors import account_equity
from apps.orders.verification import engine_breaks
from apps.payments.enums import Direction, TransferState
from apps.payments.errors import WalletTooLow
from apps.payments.locks import sole_advance
from apps.payments.models import Transfer
from apps.payments.services import transfers
from apps.payments.services.transfers import transfer_advance, transfer_request, transfers_ask
from tests.accounts import world as accounts
from tests.payments.world import (
    ana,
    as_client,
    books_are_sound,
    deposited,
    events_of,
    fresh,
    key,
    traces,
    trading_money,
    usd,
    wallet,
)

S = TransferState


@pytest.fixture
def client(house):
    person = ana()
    deposited(house, person, "1000.00")
    return person


@pytest.fixture
def account(client):
    """An account on the platform and in the engine."""
    opened = accounts.opens(client)
    deliver_all()
    return fresh(opened)


def asks(client, account, amount: str, direction: str = "TO_ACCOUNT", **values) -> Transfer:
    return transfer_request(
        client_id=client.pk,
        account_id=account.pk,
        direction=direction,
        amount=usd(amount),
        request_key=values.get("request_key") or key(),
        actor=values.get("actor") or as_client(client),
    )


def in_transit() -> str:
    return str(total_of(AccountKind.TRANSFER_IN_TRANSIT, "USD").amount)


def everywhere(client, account, platform) -> dict[str, str]:
    """The same money as each system sees it."""
    return {
        "wallet": wallet(client)[0],
        "books": trading_money(account),
        "engine": str(account_equity(account.pk).balance.amount),
        "platform": str(Decimal(accounts.balance_on(account, platform)).quantize(Decimal("0.01"))),
    }


def test_from_the_wallet_to_the_account_all_systems_agree(client, account, platform):
    transfer = asks(client, account, "300.00")
    assert (transfer.state, in_transit()) == (S.SOURCE_DEBITED, "300.00")
    assert wallet(client) == ("700.00", "700.00")

    deliver_all()

    assert fresh(transfer).state == S.DEST_CREDITED
    assert everywhere(client, account, platform) == {
        "wallet": "700.00",
        "books": "300.00",
        "engine": "300.00",
        "platform": "300.00",
    }
    assert in_transit() == "0.00"
    assert events_of(transfer.pk) == ["payments.TransferRequested", "payments.TransferCompleted"]
    assert books_are_sound()


def test_and_back_to_the_wallet(client, account, platform):
    asks(client, account, "300.00")
    deliver_all()
    back = asks(client, account, "120.00", Direction.FROM_ACCOUNT)
    deliver_all()

    assert fresh(back).state == S.DEST_CREDITED
    assert everywhere(client, account, platform) == {
        "wallet": "820.00",
        "books": "180.00",
        "engine": "180.00",
        "platform": "180.00",
    }
    assert books_are_sound()


def test_the_engine_does_not_let_go_what_is_not_free(client, account, platform):
    asks(client, account, "300.00")
    deliver_all()
    back = asks(client, account, "300.01", Direction.FROM_ACCOUNT)
    deliver_all()

    assert fresh(back).state == S.COMPENSATED
    assert "300.00" in fresh(back).why
    assert everywhere(client, account, platform) == {
        "wallet": "700.00",
        "books": "300.00",
        "engine": "300.00",
        "platform": "300.00",
    }
    assert events_of(back.pk) == ["payments.TransferRequested", "payments.TransferCompensated"]


def test_a_platform_that_did_it_and_did_not_say_is_asked_and_not_told_twice(
    client, account, platform
):
    transfer = asks(client, account, "300.00")
    platform.faults.add({"kind": "timeout_after"})
    with pytest.raises(PlatformPending):
        transfer_advance(transfer_id=transfer.pk)
    assert (fresh(transfer).state, in_transit()) == (S.IN_TRANSIT, "300.00")

    assert transfer_advance(transfer_id=transfer.pk).state == S.DEST_CREDITED
    deliver_all()

    assert everywhere(client, account, platform)["platform"] == "300.00"
    assert books_are_sound()


def test_a_platform_that_refuses_puts_the_money_back(client, account, platform):
    asks(client, account, "300.00")
    deliver_all()
    platform.book.execute(
        "BALANCE",
        account.login,
        {"reference": "elsewhere", "kind": "WITHDRAWAL", "amount": "300", "currency": "USD"},
    )
    back = asks(client, account, "300.00", Direction.FROM_ACCOUNT)
    deliver_all()

    assert fresh(back).state == S.COMPENSATED
    assert "NOT_ENOUGH_MONEY" in fresh(back).why
    seen = everywhere(client, account, platform)
    assert (seen["wallet"], seen["books"], seen["engine"]) == ("700.00", "300.00", "300.00")
    assert in_transit() == "0.00"
    assert books_are_sound()


def test_a_platform_that_is_away_makes_it_wait_and_then_people_see_it(client, account, platform):
    transfer = asks(client, account, "300.00")
    platform.faults.add({"kind": "error_500", "times": 3})
    with pytest.raises(PlatformPending):
        transfer_advance(transfer_id=transfer.pk)
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        with pytest.raises(PlatformPending):
            transfer_advance(transfer_id=transfer.pk)
        assert fresh(transfer).state == S.STUCK
    platform.faults.clear()
    with clock.frozen(clock.now() + timedelta(minutes=7)):
        assert transfers_ask() == 1

    assert fresh(transfer).state == S.DEST_CREDITED
    assert everywhere(client, account, platform)["platform"] == "300.00"


def test_more_than_the_wallet_holds_is_refused(client, account):
    before = traces()
    with pytest.raises(WalletTooLow):
        asks(client, account, "1000.01")
    assert (traces(), Transfer.objects.count()) == (before, 0)


def test_a_double_click_is_one_transfer(client, account):
    first = asks(client, account, "300.00", request_key="one-press")
    assert asks(client, account, "300.00", request_key="one-press").pk == first.pk
    with pytest.raises(Conflict):
        asks(client, account, "301.00", request_key="one-press")
    assert wallet(client) == ("700.00", "700.00")


def test_an_account_of_somebody_else_does_not_exist(client, account):
    other = ana()
    before = traces()
    with pytest.raises(NotVisible):
        asks(other, account, "10.00", actor=as_client(other))
    assert traces() == before


def test_the_account_takes_only_its_own_currency(client, account):
    from apps.core.money import Money

    before = traces()
    with pytest.raises(WrongCurrency):
        transfer_request(
            client_id=client.pk,
            account_id=account.pk,
            direction=Direction.TO_ACCOUNT,
            amount=Money.of("10.00", "EUR"),
            request_key=key(),
            actor=as_client(client),
        )
    assert traces() == before


def test_what_the_engine_let_go_for_a_transfer_that_had_just_ended_comes_back(
    client, account, platform, monkeypatch
):
    """One worker heard a no and ended it; the other one's question, asked a moment later, was granted."""
    asks(client, account, "300.00")
    deliver_all()
    back = asks(client, account, "120.00", Direction.FROM_ACCOUNT)
    real = transfers._ask_engine

    def granted_too_late(transfer):
        real(transfer)
        transfers.transfer_undone(transfer_id=transfer.pk, why="not enough free margin")

    monkeypatch.setattr(transfers, "_ask_engine", granted_too_late)
    deliver_all()

    assert fresh(back).state == S.COMPENSATED
    assert everywhere(client, account, platform) == {
        "wallet": "700.00",
        "books": "300.00",
        "engine": "300.00",
        "platform": "300.00",
    }
    assert list(engine_breaks()) == []
    assert books_are_sound()


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_carry_out_the_same_transfer_at_once(client, account):
    back = asks(client, account, "1.00", Direction.FROM_ACCOUNT)
    refusals = []

    def other_worker():
        try:
            transfer_advance(transfer_id=back.pk)
        except Busy as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    with sole_advance(back.pk):
        worker = threading.Thread(target=other_worker)
        worker.start()
        worker.join(20)
    assert len(refusals) == 1
    assert (fresh(back).state, fresh(back).attempts) == (S.REQUESTED, 0)


def test_one_transfer_that_cannot_go_on_does_not_keep_the_others_waiting(
    client, account, monkeypatch
):
    broken, fine = asks(client, account, "100.00"), asks(client, account, "200.00")
    real = transfers.transfer_advance

    def breaks(*, transfer_id):
        if transfer_id == broken.pk:
            raise ArithmeticError("nobody thought of this")
        return real(transfer_id=transfer_id)

    monkeypatch.setattr(transfers, "transfer_advance", breaks)
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        assert transfers_ask() == 1

    assert (fresh(broken).state, fresh(fine).state) == (S.SOURCE_DEBITED, S.DEST_CREDITED)
