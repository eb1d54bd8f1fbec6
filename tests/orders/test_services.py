"""Orders through the services, with the engine inline: rows, ledger, events, refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.models import OutboxEvent
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.orders.models import EngineAccount, Execution, Position
from apps.orders.services import position_close
from tests.orders import floor
from tests.orders.floor import holder_of, trades

pytestmark = pytest.mark.usefixtures("market")


def trading_balance(account) -> Money:
    owner = f"trading:{account.id}"
    return balance_of(account_for(AccountKind.CLIENT_TRADING, account.currency, owner)).posted


def test_a_client_buys_and_sells_and_every_book_agrees():
    account = floor.trading_account(funds="10000")

    bought = trades(account, "buy", "1.50")

    assert (bought.accepted, bought.status, bought.filled_lots) == (True, "2", Decimal("1.50"))
    assert bought.average_price == Decimal("1.100100")
    floor.price("EURUSD", "1.10260", "1.10270")
    sold = position_close(
        position_id=bought.position_id, client_order_id="close", actor=holder_of(account)
    )
    assert sold.accepted
    deal = Execution.objects.get(order=sold.order_id)
    assert deal.realized_money == Money.of("375.00", "USD")
    assert EngineAccount.objects.get(pk=account.pk).balance_money == Money.of("10375.00", "USD")
    assert trading_balance(account) == Money.of("10375.00", "USD")
    house = balance_of(account_for(AccountKind.BBOOK_PNL, "USD"))
    assert house.posted == Money.of("-375.00", "USD")
    assert Position.objects.get().close_reason == "CLIENT"
    deals = OutboxEvent.objects.filter(name="orders.DealExecuted").order_by("seq")
    assert [(d.payload["entry"], d.payload["realized_pnl"]) for d in deals] == [
        ("IN", "0.00"),
        ("OUT", "375.00"),
    ]
