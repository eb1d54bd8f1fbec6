"""Scenario 30: the order engine restarts in the middle; its state is the journal's, and nobody posts twice."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from apps.core import clock
from apps.core.models import OutboxEvent
from apps.core.outbox import deliver_all
from apps.ledger.enums import AccountKind
from apps.ledger.models import Entry
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.verification import violations
from apps.orders.host.journal import verify
from apps.orders.models import EngineAccount, Execution, Order, Position
from tests.orders import floor
from tests.orders.engine_thread import running
from tests.orders.floor import trades


@pytest.mark.slow
def test_the_engine_restarts_in_the_middle_of_trading(transactional_db, settings):
    with clock.frozen(datetime(2026, 1, 6, 10, 0, tzinfo=UTC)):
        floor.open_market()
        hedger = floor.trading_account(funds="50000")
        netter = floor.trading_account(funds="50000", mode="NETTING")
        settings.ENGINE_MODE = "stream"
        with running():
            held = trades(hedger, "buy", "1.00")
            trades(netter, "sell", "0.50", "GBPUSD")
            resting = trades(hedger, "buy", "0.20", limit="1.09500")
            repeated = trades(hedger, "buy", "0.30", client_order_id="sent-before-the-restart")
        with running():
            again = trades(hedger, "buy", "0.30", client_order_id="sent-before-the-restart")
            assert (again.duplicate, again.order_id) == (True, repeated.order_id)
            floor.price("EURUSD", "1.09480", "1.09490")
            _until(lambda: Order.objects.get(pk=resting.order_id).status == "2")
            assert trades(hedger, "sell", "1.00", position_id=held.position_id).accepted
            assert trades(netter, "buy", "0.80", "GBPUSD").accepted
        with running():
            assert trades(hedger, "buy", "0.01", "XAUUSD").accepted
        settings.ENGINE_MODE = "inline"

        report = verify("main")
        assert report.differences == ()
        assert report.identical

        deliver_all()
        deliver_all()
        deals = Execution.objects.count()
        assert OutboxEvent.objects.filter(name="orders.DealExecuted").count() == deals
        moved = Execution.objects.exclude(realized=0).count()
        assert Entry.objects.filter(kind="deal.pnl").count() == moved
        for account in (hedger, netter):
            books = balance_of(
                account_for(AccountKind.CLIENT_TRADING, "USD", f"trading:{account.id}")
            )
            assert books.posted == EngineAccount.objects.get(pk=account.pk).balance_money
        (netted,) = Position.objects.open().filter(account=netter)
        assert (netted.side, str(netted.lots)) == (1, "0.3")
        assert violations() == []


def _until(condition, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()
