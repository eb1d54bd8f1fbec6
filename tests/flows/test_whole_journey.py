"""One client's life in one system: registered, verified, funded, orders filled, partner paid, money out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from apps.accounts.models import TradingAccount
from apps.core import clock
from apps.core.models import AuditRecord
from apps.core.money import Money
from apps.ib.models import Accrual
from apps.market import readers
from apps.orders.models import Execution, Order, Position
from apps.orders.selectors import account_equity
from apps.rules.models import DecisionLog
from tests.flows.brokerage import ClientStory, proofs_hold


def lives_until_funded(story: ClientStory) -> None:
    story.registers()
    assert story.row.lifecycle == "REGISTERED"
    story.confirms()
    story.answers()
    story.sends_documents()
    assert story.row.lifecycle == "ONBOARDING"
    story.is_approved()
    assert story.row.lifecycle == "ACTIVE"

    account = story.opens_account()
    assert account.state == "ACTIVE"
    assert account.login

    deposit = story.deposits("5000")
    assert (deposit.payment, deposit.credit) == ("SUCCEEDED", "CREDITED")
    assert story.wallet == Money.of("5000", story.currency)
    transfer = story.transfers("4000")
    assert transfer.state == "DEST_CREDITED"
    assert story.wallet == Money.of("1000", story.currency)
    assert story.trading_money == Money.of("4000", story.currency)
    assert account_equity(story.account_id).balance == Money.of("4000", story.currency)


def test_a_retail_client_in_the_eu_from_registration_to_payout(brokerage):
    story = brokerage.applicant(country="DE")
    lives_until_funded(story)
    account = TradingAccount.objects.get(pk=story.account_id)
    assert account.leverage == 30
    assert account.leverage_cap == 30

    bought = story.orders("BUY", "0.10")
    assert bought.accepted
    rests = story.orders("BUY", "0.10", limit_price=Decimal("1.09500"))
    assert rests.accepted
    equity = account_equity(story.account_id)
    assert equity.used_margin > Money.zero("EUR")
    assert equity.free_margin == equity.equity - equity.used_margin

    with clock.frozen(clock.now() + timedelta(minutes=5)):
        brokerage.price("EURUSD", "1.09480", "1.09490")
        story.orders("SELL", "0.01")
        assert Order.objects.get(pk=rests.order_id).status == "2"
        withdrawal = story.asks_to_withdraw("900")
        assert withdrawal.state == "PENDING_APPROVAL"
        assert story.wallet == Money.of("100", "EUR")
        paid = story.withdrawal_is_approved(withdrawal, "finance")
        if paid.state == "PENDING_APPROVAL":
            paid = story.withdrawal_is_approved(withdrawal, "finance2")
        assert paid.state == "SETTLED"
    assert story.wallet == Money.of("100", "EUR")

    actions = set(
        AuditRecord.objects.filter(client_id=story.client_id).values_list("action", flat=True)
    )
    assert {"withdrawal.request", "deposit.create"} <= actions
    decided = set(
        DecisionLog.objects.filter(client_id=story.client_id).values_list("point", flat=True)
    )
    assert {"account.open", "account.leverage", "deposit.accept", "withdrawal.gate"} <= decided
    assert [story.email] in [message.to for message in mail.outbox]
    proofs_hold()


def test_each_deal_of_a_client_pays_three_tiers_of_partners(brokerage):
    brokerage.partner("top", "master")
    brokerage.partner("mid", "standard", under="top")
    brokerage.partner("low", "starter", under="mid")
    story = brokerage.trader(partner="low")

    story.orders("BUY", "1.00")
    accruals = Accrual.objects.order_by("depth").values_list("partner__code", "amount_minor")
    assert [(code, int(minor)) for code, minor in accruals] == [
        ("low", 400), ("mid", 200), ("top", 300),
    ]  # fmt: skip
    proofs_hold()


@pytest.mark.parametrize(
    ("symbol", "files"),
    [
        ("EURUSD", ("eurusd-ticks-2020-01.csv.gz",)),
        ("GBPUSD", ("gbpusd-m1-bid-2012-02.csv.gz", "gbpusd-m1-ask-2012-02.csv.gz")),
    ],
)
def test_trading_on_recorded_prices_leaves_exactly_what_the_prices_say(
    brokerage, market_files, symbol, files
):
    """Buy at one recorded ask, sell at a later recorded bid: the money follows to the cent."""
    recorded = readers.source([market_files / name for name in files], 5, lambda _at: 10)
    ticks = [tick for tick in recorded() if tick.bid < tick.ask]
    first, later = ticks[len(ticks) // 4], ticks[len(ticks) // 2]
    story = brokerage.trader()
    start = story.trading_money

    brokerage.tick(symbol, first.bid, first.ask)
    bought = story.orders("BUY", "0.10", symbol)
    position = Position.objects.get(account_id=story.account_id)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        brokerage.tick(symbol, later.bid, later.ask)
        sold = story.orders("SELL", "0.10", symbol, position_id=position.pk)
    assert bought.accepted
    assert sold.accepted
    deals = {deal.side: deal for deal in Execution.objects.filter(account_id=story.account_id)}
    paid, got = deals[1].price, deals[2].price
    assert paid >= first.ask
    assert got <= later.bid
    result = Decimal(got - paid) / 100_000 * 10_000
    charged = sum(deal.commission for deal in deals.values())
    expected = start + Money.rounded(result, "USD") - Money.from_minor(charged, "USD")
    assert story.trading_money == expected
    assert account_equity(story.account_id).balance == expected
    proofs_hold()
