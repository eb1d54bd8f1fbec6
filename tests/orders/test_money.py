"""The engine's money and the books: the same to the cent, whatever a deal does to it."""

from __future__ import annotations

import pytest

from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.verification import violations
from apps.orders.adapters.protocol import ReportKind, VenueReport
from apps.orders.errors import FreeMarginTooLow
from apps.orders.models import EngineAccount, Order
from apps.orders.selectors import child_orders_to_send
from apps.orders.services import account_funds_reserve, position_close, venue_report_submit
from tests.orders import floor
from tests.orders.floor import holder_of, trades

pytestmark = pytest.mark.usefixtures("market")


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
        account_funds_reserve(
            account_id=gapped.id, amount=Money.of("0.01", "USD"), reference="greedy"
        )
    assert refusal.value.values["available"] == Money.of("0.00", "USD")
    assert trades(gapped, "buy", "0.01").code == "FREE_MARGIN_TOO_LOW"
    assert trades(other, "buy", "0.10").accepted
    floor.fund(gapped, "1500")
    assert (in_books(gapped), in_engine(gapped)) == ("500.00", "500.00")
    assert violations() == []


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
