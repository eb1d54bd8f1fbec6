"""Scenes of money: paying in, moving it to the account, taking it out, and what goes wrong on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from apps.core import clock
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.payments.models import Deposit, DepositAttempt, PaymentInstrument, Withdrawal
from apps.payments.services.deposits import deposit_approve, deposit_create, deposit_start
from apps.payments.services.transfers import transfer_request
from apps.payments.services.withdrawals import (
    withdrawal_approve,
    withdrawal_cancel,
    withdrawal_reject,
    withdrawal_request,
)
from apps.portal.seed import trading
from apps.portal.seed.cast import Ending
from apps.portal.seed.stage import Role, Stage


def first_deposit(stage: Stage, role: Role) -> None:
    """The first money, as every client of the story brings it."""
    player = role.player
    if role.marked("deposit:declined"):
        _declined(stage, role)
    if role.marked("deposit:conflict"):
        stage.timeline.at(
            stage.timeline.end - timedelta(days=2, hours=3), lambda: _conflicted(stage, role)
        )
    if role.marked("deposit:review"):
        stage.timeline.at(
            stage.timeline.end - timedelta(hours=5), lambda: _under_review(stage, role)
        )
    deposit = _pay(stage, role, player.deposit)
    if deposit.credit == "UNDER_REVIEW":
        moment = stage.office_hours(clock.now() + timedelta(hours=1))
        stage.timeline.at(moment, lambda: _credit(stage, role, deposit))
    share = role.rng.choice((Decimal("0.6"), Decimal("0.75"), Decimal("0.9")))
    moment = stage.office_hours(clock.now() + timedelta(hours=role.rng.uniform(2, 20)))
    stage.timeline.at(moment, lambda: _to_account(stage, role, share))
    if role.rng.random() < 0.45 and player.ending is Ending.TRADES:
        again = clock.now() + timedelta(days=role.rng.uniform(4, 15))
        stage.timeline.at(again, lambda: _pay(stage, role, max(200, player.deposit // 3)) and None)  # type: ignore[arg-type]
    _plan_withdrawals(stage, role)


def wallet(role: Role) -> Money:
    """What is free in the client's wallet."""
    account = account_for(AccountKind.CLIENT_WALLET, role.currency, f"client:{role.client}")
    return balance_of(account).available


def card_of(role: Role) -> str:
    """A card number that belongs to nobody, the same for one client each time."""
    number = 4_000_000_000_000_000 + int(str(role.client.int)[-11:])
    return str(number)[:16]


def _ask(stage: Stage, role: Role, amount: int) -> tuple[Deposit, DepositAttempt]:
    method = role.player.method
    deposit = deposit_create(
        client_id=role.client,
        method=method,
        amount=Money.of(amount, role.currency),
        request_key=role.key("deposit"),
        actor=role.who,
    )
    attempt = deposit_start(deposit_id=deposit.pk, actor=role.who)
    return deposit, attempt


def _pay(stage: Stage, role: Role, amount: int) -> Deposit:
    deposit, attempt = _ask(stage, role, amount)
    holder = f"{role.player.first_name} {role.player.last_name}"
    stage.outside.provider.pay(attempt.provider_payment_id, holder=holder, instrument=card_of(role))
    stage.deliver()
    return Deposit.objects.get(pk=deposit.pk)


def _declined(stage: Stage, role: Role) -> None:
    _deposit, attempt = _ask(stage, role, role.player.deposit)
    stage.outside.provider.decline(attempt.provider_payment_id)
    stage.deliver()


def _conflicted(stage: Stage, role: Role) -> None:
    """Another amount arrives than was asked for: nobody is credited, the money waits in suspense."""
    stage.outside.provider.add_fault({"kind": "amount", "amount": "480.00"})
    _pay(stage, role, 450)


def _under_review(stage: Stage, role: Role) -> None:
    """Somebody else's name on the card."""
    _deposit, attempt = _ask(stage, role, 350)
    stage.outside.provider.pay(
        attempt.provider_payment_id, holder="R. Oliveira", instrument="4000567812341111"
    )
    stage.deliver()


def _credit(stage: Stage, role: Role, deposit: Deposit) -> None:
    deposit_approve(
        deposit_id=deposit.pk, actor=stage.staff["finance"], reason="payer and source are plausible"
    )


def _to_account(stage: Stage, role: Role, share: Decimal) -> None:
    free = wallet(role)
    amount = (free.amount * share).quantize(Decimal(10))
    if amount < 10:
        return
    transfer_request(
        client_id=role.client,
        account_id=role.account,
        direction="TO_ACCOUNT",
        amount=Money.of(amount, role.currency),
        request_key=role.key("transfer"),
        actor=role.who,
    )
    if role.player.ending is Ending.TRADES:
        moment = clock.now() + timedelta(hours=role.rng.uniform(1, 8))
        stage.timeline.at(moment, lambda: trading.begin(stage, role))


def back_to_wallet(stage: Stage, role: Role, amount: Decimal) -> None:
    """Part of the account's money goes back into the wallet."""
    transfer_request(
        client_id=role.client,
        account_id=role.account,
        direction="FROM_ACCOUNT",
        amount=Money.of(amount, role.currency),
        request_key=role.key("transfer"),
        actor=role.who,
    )


# Withdrawals


def _plan_withdrawals(stage: Stage, role: Role) -> None:
    end = stage.timeline.end
    plans = {
        "withdraw:small": (role.rng.uniform(3, 12), Decimal(80)),
        "withdraw:large": (role.rng.uniform(4, 9), Decimal(1200)),
        "withdraw:rejected": (8.0, Decimal(400)),
        "withdraw:canceled": (5.0, Decimal(300)),
        "withdraw:returned": (6.0, Decimal(350)),
        "withdraw:unknown": (0.12, Decimal(900)),
        "withdraw:pending": (0.8, Decimal(1200)),
        "withdraw:pending-small": (0.3, Decimal(150)),
    }
    for mark, (days, amount) in plans.items():
        if role.marked(mark):
            stage.timeline.at(
                _weekday(end - timedelta(days=days)),
                lambda mark=mark, amount=amount: _withdraw(stage, role, mark, amount),  # type: ignore[misc]
            )


def _weekday(moment: datetime) -> datetime:
    while moment.weekday() > 4:
        moment -= timedelta(days=1)
    return moment


def _withdraw(stage: Stage, role: Role, mark: str, amount: Decimal) -> None:
    free = wallet(role)
    if free.amount < amount:
        back_to_wallet(stage, role, amount - free.amount)
        stage.deliver()
        free = wallet(role)
    destination = PaymentInstrument.objects.filter(client_id=role.client).order_by("pk").first()
    if free.amount < amount or destination is None:
        return
    if mark == "withdraw:unknown":
        stage.outside.provider.add_fault({"kind": "error_create"})
    if mark == "withdraw:returned":
        stage.outside.provider.add_fault({"kind": "payout_return"})
    withdrawal = withdrawal_request(
        client_id=role.client,
        amount=Money.of(amount, role.currency),
        destination_id=destination.pk,
        request_key=role.key("withdrawal"),
        actor=role.who,
    )
    if mark == "withdraw:canceled":
        moment = clock.now() + timedelta(minutes=18)
        stage.timeline.at(moment, lambda: _change_mind(role, withdrawal))
    elif not mark.startswith("withdraw:pending"):
        _plan_votes(stage, role, mark, withdrawal)


def _plan_votes(stage: Stage, role: Role, mark: str, withdrawal: Withdrawal) -> None:
    moment = clock.now()
    for place in range(withdrawal.approvals_required):
        voter = ("finance", "finance2")[place % 2]
        moment += timedelta(minutes=role.rng.uniform(4, 20 if mark == "withdraw:unknown" else 90))
        if mark == "withdraw:rejected":
            stage.timeline.at(moment, lambda: _refuse(stage, withdrawal))
            return
        stage.timeline.at(moment, lambda voter=voter: _agree(stage, withdrawal, voter))  # type: ignore[misc]


def _agree(stage: Stage, withdrawal: Withdrawal, voter: str) -> None:
    withdrawal_approve(
        withdrawal_id=withdrawal.pk, actor=stage.staff[voter], reason="checks are in order"
    )


def _refuse(stage: Stage, withdrawal: Withdrawal) -> None:
    withdrawal_reject(
        withdrawal_id=withdrawal.pk,
        actor=stage.staff["finance"],
        reason="please withdraw to the card that was used for the deposit",
    )


def _change_mind(role: Role, withdrawal: Withdrawal) -> None:
    withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=role.who, reason="changed my mind")
