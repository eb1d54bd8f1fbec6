"""Reads: wallets, what a client may use, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.models import Account
from apps.ledger.selectors import account_for, accounts_of, balance_of, balances_of
from apps.market.selectors import convert
from apps.payments.enums import (
    ATTEMPT_OPEN,
    IN_FLIGHT,
    TRANSFER_DONE,
    CreditState,
    Method,
    PaymentState,
    ReceiptOutcome,
    SuspenseState,
    WithdrawalState,
)
from apps.payments.models import (
    Deposit,
    DepositAttempt,
    PaymentInstrument,
    PaymentMethod,
    SuspenseItem,
    Transfer,
    WebhookOutcome,
    WebhookReceipt,
    Withdrawal,
    WithdrawalCheck,
)
from apps.payments.routing import Offer

ARRIVED = (CreditState.CREDITED,)
NOT_OUT = (
    WithdrawalState.REJECTED,
    WithdrawalState.CANCELED,
    WithdrawalState.FAILED,
    WithdrawalState.RETURNED,
    WithdrawalState.RELEASED,
)
STUCK_AFTER = timedelta(minutes=5)
LATE_PAYMENTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wallet:
    """A client's money in one currency outside the trading accounts."""

    currency: str
    balance: Money
    held: Money
    available: Money


def wallet_owner(client_id: UUID) -> str:
    return f"client:{client_id}"


def wallet_account(client_id: UUID, currency: str) -> Account:
    """The ledger account behind the wallet, opened at first use."""
    return account_for(AccountKind.CLIENT_WALLET, currency, wallet_owner(client_id))


def wallets_of(client_id: UUID) -> list[Wallet]:
    """Every wallet that the client ever used, by currency."""
    accounts = accounts_of(wallet_owner(client_id), AccountKind.CLIENT_WALLET)
    balances = balances_of(accounts)
    return [
        Wallet(
            currency=account.currency_id,
            balance=balances[account.pk].posted,
            held=balances[account.pk].pending_out,
            available=balances[account.pk].available,
        )
        for account in accounts
    ]


def wallet_available(client_id: UUID, currency: str) -> Money:
    return balance_of(wallet_account(client_id, currency)).available


def base_minor(amount: Money, client: Client) -> int:
    """The amount in minor units of the entity's base currency, at the last quotes. Raises `NoConversion`."""
    base = client.entity.base_currency
    return (amount if amount.currency == base else convert(amount, base)).minor


def summed(rows: QuerySet, field: str = "amount_minor") -> list[Money]:
    """One sum for each currency."""
    sums = rows.order_by().values_list("currency").annotate(total=Sum(field))
    return [Money.from_minor(int(total), currency) for currency, total in sums]


def base_total(amounts: Iterable[Money], client: Client) -> int:
    return sum(base_minor(amount, client) for amount in amounts)


def deposits_arrived(client_id: UUID) -> QuerySet[Deposit]:
    """Deposits that reached the wallet. Transfers inside the house are in another table and never counted."""
    return Deposit.objects.filter(client_id=client_id, credit__in=ARRIVED)


def withdrawals_alive(client_id: UUID) -> QuerySet[Withdrawal]:
    """Withdrawals that are under way or paid: what has left or may leave."""
    return Withdrawal.objects.filter(client_id=client_id).exclude(state__in=NOT_OUT)


def net_deposits(client_id: UUID) -> list[Money]:
    """Deposits less withdrawals paid, for each currency."""
    paid = Withdrawal.objects.filter(client_id=client_id, outcome=WithdrawalState.SETTLED)
    totals = {money.currency: money for money in summed(deposits_arrived(client_id))}
    for money in summed(paid):
        totals[money.currency] = totals.get(money.currency, Money.zero(money.currency)) - money
    return [totals[currency] for currency in sorted(totals)]


def instrument_net(
    instrument: PaymentInstrument, *, without: UUID | None = None
) -> dict[str, Money]:
    """For each currency, what came from this instrument less what went or is going back to it."""
    totals = {
        money.currency: money
        for money in summed(Deposit.objects.filter(instrument=instrument, credit__in=ARRIVED))
    }
    back = Withdrawal.objects.filter(destination=instrument).exclude(state__in=NOT_OUT)
    for money in summed(back.exclude(pk=without) if without else back):
        totals[money.currency] = totals.get(money.currency, Money.zero(money.currency)) - money
    return totals


# What is offered


def methods_for(client: Client, *, payouts: bool = False) -> list[PaymentMethod]:
    """The ways to pay in (or out) that this client may use, in a stable order."""
    rows = PaymentMethod.objects.filter(entities__contains=[client.entity.code])
    if payouts:
        rows = rows.filter(payouts=True, provider__sends_payouts=True)
    else:
        rows = rows.filter(deposits=True, provider__takes_deposits=True)
    return list(rows.select_related("provider").order_by("method", "currency", "provider__code"))


def offers_of(methods: Iterable[PaymentMethod], *, payouts: bool = False) -> list[Offer]:
    """The same as plain values for the arithmetic of routing."""
    return [
        Offer(
            provider=row.provider.code,
            enabled=row.provider.sends_payouts if payouts else row.provider.takes_deposits,
            minimum=int(row.payout_min_minor if payouts else row.deposit_min_minor),
            maximum=int(row.payout_max_minor if payouts else row.deposit_max_minor),
            fee_percent=row.payout_fee_percent if payouts else row.deposit_fee_percent,
            fee_fixed=int(row.payout_fee_fixed_minor if payouts else row.deposit_fee_fixed_minor),
        )
        for row in methods
    ]


def destinations_of(client_id: UUID) -> QuerySet[PaymentInstrument]:
    """Where money of this client may go: in the client's own name, first those that money came from."""
    return PaymentInstrument.objects.filter(client_id=client_id, holder_matches=True).order_by(
        F("first_paid_at").asc(nulls_last=True), "created_at"
    )


def why_no_withdrawal(client: Client) -> str:
    """The sentence that the withdrawal page shows instead of a form; empty when there is none."""
    if "no_withdrawal" in client_restrictions(client.pk):
        return "WITHDRAWALS_BLOCKED"
    if not client.verified:
        return "KYC_REQUIRED"
    return ""


# Lists


def deposit_list(*, actor: Actor) -> QuerySet[Deposit]:
    return Deposit.objects.visible_to(actor).select_related(
        "client__person", "client__entity", "instrument"
    )


def deposit_get(deposit_id: UUID, *, actor: Actor) -> Deposit:
    """Raises `NotVisible`."""
    found = deposit_list(actor=actor).filter(pk=deposit_id).first()
    if found is None:
        raise NotVisible
    return found


def withdrawal_list(*, actor: Actor) -> QuerySet[Withdrawal]:
    return Withdrawal.objects.visible_to(actor).select_related(
        "client__person", "client__entity", "destination", "provider"
    )


def withdrawal_get(withdrawal_id: UUID, *, actor: Actor) -> Withdrawal:
    """Raises `NotVisible`."""
    found = withdrawal_list(actor=actor).filter(pk=withdrawal_id).first()
    if found is None:
        raise NotVisible
    return found


def transfer_list(*, actor: Actor) -> QuerySet[Transfer]:
    return Transfer.objects.visible_to(actor).select_related(
        "client__person", "client__entity", "account"
    )


def transfer_get(transfer_id: UUID, *, actor: Actor) -> Transfer:
    """Raises `NotVisible`."""
    found = transfer_list(actor=actor).filter(pk=transfer_id).first()
    if found is None:
        raise NotVisible
    return found


def checks_of(withdrawal: Withdrawal) -> list[WithdrawalCheck]:
    """The latest run of the check list, in its order."""
    latest = withdrawal.checks.order_by("-run").values_list("run", flat=True).first()
    return list(withdrawal.checks.filter(run=latest).order_by("position")) if latest else []


def latest_attempt(deposit: Deposit) -> DepositAttempt | None:
    return deposit.attempts.select_related("provider").order_by("-number").first()


# Work that waits


def withdrawals_to_decide(*, actor: Actor) -> QuerySet[Withdrawal]:
    return withdrawal_list(actor=actor).filter(state=WithdrawalState.PENDING_APPROVAL)


def payouts_unclear(*, actor: Actor) -> QuerySet[Withdrawal]:
    """The provider was asked and has not said what became of it, or says what the books contradict."""
    conflicting = WebhookOutcome.objects.filter(
        outcome=ReceiptOutcome.CONFLICTED, receipt__event_type__startswith="payout."
    )
    return withdrawal_list(actor=actor).filter(
        Q(state__in=[WithdrawalState.UNKNOWN, WithdrawalState.ASSISTANCE])
        | Q(pk__in=conflicting.values("subject_id"))
    )


def payouts_to_ask(asked_before: datetime) -> QuerySet[Withdrawal]:
    """Payouts under way whose provider has not been asked since."""
    return Withdrawal.objects.filter(state__in=IN_FLIGHT).filter(
        Q(asked_at=None, submitted_at__lt=asked_before) | Q(asked_at__lt=asked_before)
    )


def deposits_to_ask(asked_before: datetime) -> QuerySet[DepositAttempt]:
    """Attempts that are open and whose provider has not been asked since.

    Also of deposits that expired: some methods take longer than the page lives, and the message may be lost.
    """
    waiting = [PaymentState.CREATED, PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING]
    late = Q(
        deposit__payment=PaymentState.EXPIRED,
        state__in=ATTEMPT_OPEN,
        created_at__gt=clock.now() - LATE_PAYMENTS,
    )
    return DepositAttempt.objects.filter(
        Q(deposit__payment__in=waiting) | late, created_at__lt=asked_before
    ).filter(Q(asked_at=None) | Q(asked_at__lt=asked_before))


def deposits_to_decide(*, actor: Actor) -> QuerySet[Deposit]:
    return deposit_list(actor=actor).filter(credit=CreditState.UNDER_REVIEW)


def suspense_open(*, actor: Actor) -> QuerySet[SuspenseItem]:
    return (
        SuspenseItem.objects.visible_to(actor)
        .filter(state__in=[SuspenseState.OPEN, SuspenseState.PENDING_APPROVAL])
        .select_related("provider", "deposit")
    )


def transfers_stuck(*, actor: Actor) -> QuerySet[Transfer]:
    """Transfers that should have arrived minutes ago."""
    late = clock.now() - STUCK_AFTER
    return transfer_list(actor=actor).exclude(state__in=TRANSFER_DONE).filter(created_at__lt=late)


def receipt_list(*, actor: Actor) -> QuerySet[WebhookReceipt]:
    return WebhookReceipt.objects.visible_to(actor).select_related("provider", "outcome")


def method_labels() -> dict[str, str]:
    return {code: str(label) for code, label in Method.choices}
