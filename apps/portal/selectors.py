"""Reads for the portal's own pages, through what the apps below publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.enums import OPENING_STATES, AccountState
from apps.accounts.models import TradingAccount
from apps.accounts.selectors import account_list
from apps.clients.enums import Lifecycle, OnboardingState
from apps.clients.models import Client, LegalEntity, OnboardingSession
from apps.core.actor import Actor
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import AccountBalance, accounts_of, balances_of
from apps.orders.models import Execution, Position
from apps.payments.enums import (
    TRANSFER_DONE,
    WITHDRAWAL_DONE,
    CreditState,
    Direction,
    PaymentState,
    WithdrawalState,
)
from apps.payments.models import Deposit, Transfer, Withdrawal
from apps.portal.navigation import address
from apps.portal.steps import WITH_US, Facts

RECENT = 8
GONE = (AccountState.ARCHIVED, AccountState.CLOSED, AccountState.REJECTED)
UNPAID = (PaymentState.FAILED, PaymentState.EXPIRED, PaymentState.CANCELED)
CREDIT_DONE = (CreditState.CREDITED, CreditState.RETURNED)
# What only concerns the house and its provider reads as work in progress.
INTERNAL = (WithdrawalState.UNKNOWN, WithdrawalState.ASSISTANCE)


@dataclass(frozen=True, slots=True)
class Wallet:
    """Money of the client that is in no trading account."""

    currency: str
    balance: AccountBalance

    @property
    def available(self) -> Money:
        return self.balance.available

    @property
    def held(self) -> Money:
        return self.balance.pending_out


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened or is under way, as the client reads it."""

    title: str | Promise
    icon: str
    at: datetime
    url: str
    state: str
    label: str | Promise
    amount: Money | None = None
    tone: str = ""


def client_of(actor: Actor | None) -> Client | None:
    """The client for whom this login acts; the longest-standing one when there are several."""
    if actor is None or not actor.client_ids:
        return None
    clients = Client.objects.visible_to(actor).select_related("person", "entity")
    return clients.order_by("created_at").first()


def booking_entity_of(actor: Actor | None) -> LegalEntity | None:
    """The company that answers for this visitor; none for somebody who is not a client yet."""
    client = client_of(actor)
    return client.entity if client else None


def wallets_of(client: Client) -> list[Wallet]:
    """One for each currency that was ever used, the fullest first."""
    accounts = accounts_of(f"client:{client.id}", AccountKind.CLIENT_WALLET)
    balances = balances_of(accounts)
    wallets = [Wallet(account.currency_id, balances[account.pk]) for account in accounts]
    return sorted(wallets, key=lambda wallet: (-wallet.available.amount, wallet.currency))


def trading_accounts_of(client: Client, actor: Actor) -> list[TradingAccount]:
    """All that are not over, the newest first."""
    return list(account_list(actor=actor).filter(client=client).exclude(state__in=GONE))


def symbols_held(accounts: list[TradingAccount]) -> dict[str, int]:
    """How many positions are open in each instrument."""
    rows = Position.objects.open().filter(account_id__in=[account.id for account in accounts])
    return dict(Counter(rows.values_list("symbol", flat=True)))


def has_traded(accounts: list[TradingAccount]) -> bool:
    """Whether anything was ever bought or sold."""
    return Execution.objects.filter(account_id__in=[account.id for account in accounts]).exists()


def totals(amounts: Iterable[Money]) -> list[Money]:
    """Sums by currency, the largest first: amounts of different currencies are never added up."""
    sums: dict[str, Decimal] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Decimal(0)) + amount.amount
    return [Money(value, unit) for unit, value in sorted(sums.items(), key=lambda item: -item[1])]


def application_open(client: Client) -> bool:
    """Whether questions are still unanswered."""
    if client.lifecycle not in (Lifecycle.REGISTERED, Lifecycle.ONBOARDING):
        return False
    session = OnboardingSession.objects.filter(client=client).first()
    return session is None or session.state == OnboardingState.OPEN


def facts_of(
    client: Client,
    accounts: list[TradingAccount],
    wallets: list[Wallet],
    *,
    has_trading_money: bool,
    has_traded: bool,
) -> Facts:
    return Facts(
        lifecycle=client.lifecycle,
        kyc_status=client.kyc_status,
        application_open=application_open(client),
        accounts_live=sum(account.is_live for account in accounts),
        accounts_opening=sum(account.state in OPENING_STATES for account in accounts),
        has_wallet_money=any(wallet.available.amount > 0 for wallet in wallets),
        has_trading_money=has_trading_money,
        has_traded=has_traded,
    )


def requests_open(client: Client, accounts: list[TradingAccount]) -> list[Line]:
    """Everything that the client asked for and that is not finished, the newest first."""
    lines = [
        *(_account_line(account) for account in accounts if account.state in OPENING_STATES),
        *(
            _deposit_line(deposit)
            for deposit in Deposit.objects.filter(client=client)
            .exclude(payment__in=UNPAID)
            .exclude(credit__in=CREDIT_DONE)
        ),
        *(
            _withdrawal_line(withdrawal)
            for withdrawal in Withdrawal.objects.filter(client=client).exclude(
                state__in=WITHDRAWAL_DONE
            )
        ),
        *(
            _transfer_line(transfer)
            for transfer in Transfer.objects.filter(client=client).exclude(state__in=TRANSFER_DONE)
        ),
    ]
    if client.kyc_status in WITH_US:
        lines.append(
            Line(
                _("Verification"), "verified_user", client.updated_at,
                address("portal:kyc-status"), "SUBMITTED", _("With us"),
            )
        )  # fmt: skip
    return sorted(lines, key=lambda line: line.at, reverse=True)


def money_moved(client: Client) -> list[Line]:
    """The latest movements of money that came to an end, the newest first."""
    lines = [
        *(
            _deposit_line(deposit)
            for deposit in Deposit.objects.filter(client=client, credit__in=CREDIT_DONE)[:RECENT]
        ),
        *(
            _withdrawal_line(withdrawal)
            for withdrawal in Withdrawal.objects.filter(client=client, state__in=WITHDRAWAL_DONE)[
                :RECENT
            ]
        ),
        *(
            _transfer_line(transfer)
            for transfer in Transfer.objects.filter(client=client, state__in=TRANSFER_DONE)[:RECENT]
        ),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:RECENT]


def _account_line(account: TradingAccount) -> Line:
    return Line(
        _("New trading account"),
        "account_balance",
        account.created_at,
        address("portal:accounts-list"),
        account.state,
        account.get_state_display(),
    )


def _deposit_line(deposit: Deposit) -> Line:
    finished = deposit.credit != CreditState.NOT_CREDITED
    return Line(
        _("Deposit"),
        "south_west",
        deposit.created_at,
        detail("portal:payments-deposit-detail", deposit),
        deposit.credit if finished else deposit.payment,
        deposit.get_credit_display() if finished else deposit.get_payment_display(),
        deposit.amount,
    )


def _withdrawal_line(withdrawal: Withdrawal) -> Line:
    internal = withdrawal.state in INTERNAL
    return Line(
        _("Withdrawal"),
        "north_east",
        withdrawal.created_at,
        detail("portal:payments-withdrawal-detail", withdrawal),
        WithdrawalState.SUBMITTED if internal else withdrawal.state,
        WithdrawalState.SUBMITTED.label if internal else withdrawal.get_state_display(),
        -withdrawal.amount,
    )


def _transfer_line(transfer: Transfer) -> Line:
    inward = transfer.direction == Direction.TO_ACCOUNT
    return Line(
        _("Transfer to trading account") if inward else _("Transfer to wallet"),
        "swap_horiz",
        transfer.created_at,
        detail("portal:payments-transfer-detail", transfer),
        transfer.state,
        transfer.get_state_display(),
        transfer.amount,
    )


def detail(name: str, row: Any) -> str:
    """The page of one row, or nothing when there is no such page."""
    try:
        return reverse(name, args=[row.pk])
    except NoReverseMatch:
        return ""
