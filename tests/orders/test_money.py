"""The engine's money and the books: the same to the cent, whatever a deal does to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from apps.core import clock
from apps.core.money import Money
from apps.core.outbox import deliver_all
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.services import Leg, post
from apps.ledger.verification import violations
from apps.orders.adapters.protocol import ReportKind, VenueReport
from apps.orders.errors import FreeMarginTooLow
from apps.orders.models import EngineAccount, Order
from apps.orders.selectors import child_orders_to_send
from apps.orders.services import (
    account_funds_apply,
    account_funds_reserve,
    position_close,
    venue_report_submit,
)
from apps.orders.verification import engine_breaks
from tests.orders import floor
from tests.orders.floor import holder_of, trades

pytestmark = pytest.mark.usefixtures("market")


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def posted(kind: AccountKind, owner: str = "") -> str:
    return str(balance_of(account_for(kind, "USD", owner)).posted.amount)


def in_books(account) -> str:
    return posted(AccountKind.CLIENT_TRADING, f"trading:{account.id}")


def in_engine(account) -> str:
    return str(EngineAccount.objects.get(pk=account.pk).balance_money.amount)


def closes(account, reply, number: str = "close"):
    return position_close(
        position_id=reply.position_id, client_order_id=number, actor=holder_of(account)
    )


def test_a_loss_beyond_the_balance_is_booked_in_full_and_the_engine_goes_on():
    """A gap over the weekend: 5,000.00 lost with 4,000.00 on the account. The client owes the rest."""
    gapped, other = floor.trading_account(funds="4000"), floor.trading_account(funds="1000")
    held = trades(gapped, "buy", "1.00")
    floor.price("EURUSD", "1.05010", "1.05020")

    assert closes(gapped, held).accepted

    assert (in_books(gapped), in_engine(gapped)) == ("-1000.00", "-1000.00")
    assert posted(AccountKind.BBOOK_PNL) == "5000.00"
    with pytest.raises(FreeMarginTooLow) as refusal:
        account_funds_reserve(account_id=gapped.id, amount=usd("0.01"), reference="greedy")
    assert refusal.value.values["available"] == usd("0.00")
    assert trades(gapped, "buy", "0.01").code == "FREE_MARGIN_TOO_LOW"
    assert trades(other, "buy", "0.10").accepted
    floor.fund(gapped, "1500")
    assert (in_books(gapped), in_engine(gapped)) == ("500.00", "500.00")
    assert violations() == []


def told_of(account, amount: str) -> None:
    """Money in the books that the engine has not been told of yet."""
    with transaction.atomic():
        place = account_for(AccountKind.CLIENT_TRADING, "USD", f"trading:{account.id}")
        bank = account_for(AccountKind.BANK_CLIENT_MONEY, "USD")
        leg = Leg(bank, place, usd(amount))
        post(kind="test.funding", key="told", legs=[leg], actor=floor.SYSTEM)
        account_funds_apply(
            account_id=account.id, amount=usd(amount), reference="told", direction="IN"
        )


def fills(price: int) -> None:
    (instruction,) = child_orders_to_send("main")
    assert venue_report_submit(
        VenueReport(
            kind=ReportKind.FILL,
            child_id=instruction.child_id,
            venue=instruction.venue,
            exec_id=f"x{instruction.child_id}",
            steps=instruction.steps,
            price_points=price,
        )
    )


def test_what_is_passed_on_leaves_the_venue_its_result_and_the_house_its_markup(settings):
    """10 lots bought at 1.10010 and sold at 1.10260 at the venue; 2 points worse for the client each time."""
    terms = {"commission_minor": 350, "markup": {"*": 2}, "book": "A"}
    settings.ENGINE_ACCOUNT_TERMS = {"*": terms}
    account = floor.trading_account(funds="100000")
    held = trades(account, "buy", "10.00")
    fills(110_010)
    opened = Order.objects.get(pk=held.order_id)
    assert posted(AccountKind.INCOME_SPREAD) == "20.00"

    position_close(position_id=opened.opened, client_order_id="close", actor=holder_of(account))
    fills(110_260)

    assert posted(AccountKind.LP_COLLATERAL) == "2500.00"
    assert posted(AccountKind.INCOME_SPREAD) == "40.00"
    assert posted(AccountKind.INCOME_COMMISSION) == "70.00"
    assert posted(AccountKind.BBOOK_PNL) == "0.00"
    assert (in_books(account), in_engine(account)) == ("102390.00", "102390.00")
    assert violations() == []


def test_the_engine_agrees_with_the_books_but_for_what_is_under_way(capsys):
    account = floor.trading_account(funds="4000")
    held = trades(account, "buy", "1.00")
    floor.price("EURUSD", "1.10500", "1.10510")
    closes(account, held)
    call_command("verify_engine")
    assert capsys.readouterr().out == "1 accounts agree with the books.\n"

    account_funds_reserve(account_id=account.id, amount=usd("100.00"), reference="leaving")
    told_of(account, "250.00")
    assert list(engine_breaks()) == []
    deliver_all()
    assert (in_books(account), in_engine(account)) == ("4740.00", "4640.00")
    assert list(engine_breaks()) == []

    with clock.frozen(clock.now() + timedelta(hours=2)):  # nobody ever booked what was reserved
        (found,) = engine_breaks()
    assert (found.account_id, found.difference) == (account.pk, usd("-100.00"))


def test_a_wrong_cent_between_the_engine_and_the_books_is_found(capsys):
    account, other = floor.trading_account(funds="4000"), floor.trading_account(funds="7.00")
    EngineAccount.objects.filter(pk=account.pk).update(balance=400001)
    with pytest.raises(CommandError, match="1 accounts differ from the books"):
        call_command("verify_engine")
    assert f"account {account.pk}: engine 4,000.01 USD" in capsys.readouterr().err
    assert [found.difference for found in engine_breaks()] == [usd("0.01")]
    assert in_books(other) == in_engine(other)
