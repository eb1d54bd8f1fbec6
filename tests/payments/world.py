"""A brokerage with a payment provider and a trading platform outside, for stories about money."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from django.test import Client as Browser

from apps.accounts.models import TradingAccount
from apps.clients.models import Client
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.models import AuditRecord, OutboxEvent
from apps.core.money import Money
from apps.core.outbox import deliver_all
from apps.ledger.models import Transfer as LedgerTransfer
from apps.ledger.verification import violations
from apps.payments.adapters import simulator
from apps.payments.models import Deposit, PaymentInstrument, Withdrawal
from apps.payments.permissions import (
    APPROVE_WITHDRAWAL,
    DECIDE_DEPOSIT,
    MAKE_DEPOSIT,
    REJECT_WITHDRAWAL,
    REQUEST_TRANSFER,
    REQUEST_WITHDRAWAL,
    RESOLVE_PAYOUT,
    RESOLVE_SUSPENSE,
    RETRY_TRANSFER,
    VIEW_PAYMENTS,
)
from apps.payments.selectors import wallet_account, wallets_of
from apps.payments.services.deposits import deposit_create, deposit_start
from apps.payments.services.destinations import bank_account_add
from apps.payments.services.withdrawals import withdrawal_request
from tests.accounts import world as accounts

HOOK = "/hooks/payments/psp-sim/"
IBAN = "DE89370400440532013000"
_keys = count(1)


def key() -> str:
    return f"press-{next(_keys)}"


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def finance(number: int = 1, *without: Any) -> Actor:
    """Somebody in the finance department."""
    held = {
        VIEW_PAYMENTS, DECIDE_DEPOSIT, APPROVE_WITHDRAWAL, REJECT_WITHDRAWAL, RESOLVE_PAYOUT,
        RESOLVE_SUSPENSE, RETRY_TRANSFER,
    } - set(without)  # fmt: skip
    return Actor(
        ActorKind.STAFF,
        f"user:{9000 + number}",
        f"finance {number}",
        permissions=frozenset(str(permission) for permission in held),
        scope=Scope(ScopeLevel.ALL),
    )


def as_client(client: Client) -> Actor:
    permissions = (MAKE_DEPOSIT, REQUEST_WITHDRAWAL, REQUEST_TRANSFER)
    return Actor(
        ActorKind.CLIENT,
        f"user:{client.number}",
        "login",
        permissions=frozenset(str(permission) for permission in permissions),
        client_ids=frozenset({client.pk}),
    )


def ana(**values: Any) -> Client:
    """A verified client of the offshore company, whose books are in dollars."""
    return accounts.client_of("BOS-INT", **({"kyc_level": 2} | values))


@dataclass
class Psp:
    """The provider outside, and the way its messages take."""

    server: simulator.PaymentServer
    forwarded: bool = True

    @property
    def provider(self) -> simulator.Provider:
        return self.server.provider

    def fault(self, kind: str, **details: Any) -> None:
        self.provider.add_fault({"kind": kind, **details})

    def pays(self, deposit: Deposit, *, holder: str = "") -> None:
        """The client pays on the hosted page."""
        self.provider.pay(payment_of(deposit), holder=holder, instrument="4242424242424242")

    def knocks(self) -> None:
        """Everything that the provider wants to do or tell happens now, and the house works on it."""
        self.provider.work()
        deliver_all()


def payment_of(deposit: Deposit) -> str:
    return deposit.attempts.latest("number").provider_payment_id


def asks_to_deposit(client: Client, amount: str, method: str = "CARD", **values: Any) -> Deposit:
    deposit = deposit_create(
        client_id=client.pk,
        method=method,
        amount=usd(amount),
        request_key=values.pop("request_key", None) or key(),
        actor=as_client(client),
    )
    deposit_start(deposit_id=deposit.pk, actor=as_client(client))
    return fresh(deposit)


def deposited(psp: Psp, client: Client, amount: str, method: str = "CARD") -> Deposit:
    """Money in the wallet, all the way through the provider."""
    deposit = asks_to_deposit(client, amount, method)
    psp.pays(deposit)
    psp.knocks()
    psp.knocks()
    return fresh(deposit)


def bank_account(client: Client) -> PaymentInstrument:
    return bank_account_add(
        client_id=client.pk,
        iban=IBAN,
        holder_name=client.person.full_name,
        actor=as_client(client),
    )


def asks_to_withdraw(
    client: Client, amount: str, destination: PaymentInstrument | None = None, **values: Any
) -> Withdrawal:
    destination = destination or PaymentInstrument.objects.filter(client=client).first()
    assert destination is not None
    return withdrawal_request(
        client_id=client.pk,
        amount=usd(amount),
        destination_id=destination.pk,
        request_key=values.get("request_key") or key(),
        actor=as_client(client),
    )


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def wallet(client: Client) -> tuple[str, str]:
    """What is in the dollar wallet, and what of it is free."""
    wallet_account(client.pk, "USD")
    for row in wallets_of(client.pk):
        if row.currency == "USD":
            return str(row.balance.amount), str(row.available.amount)
    raise AssertionError("no wallet")


def trading_money(account: TradingAccount) -> str:
    """What the books say a trading account holds."""
    from apps.ledger.enums import AccountKind
    from apps.ledger.selectors import account_for, balance_of

    place = account_for(AccountKind.CLIENT_TRADING, account.currency, f"trading:{account.pk}")
    return str(balance_of(place).posted.amount)


@dataclass(frozen=True)
class Traces:
    """Everything that a refused command must not leave."""

    ledger: int
    events: int
    audit: int
    rows: int


def traces() -> Traces:
    return Traces(
        ledger=LedgerTransfer.objects.count(),
        events=OutboxEvent.objects.count(),
        audit=AuditRecord.objects.count(),
        rows=Deposit.objects.count() + Withdrawal.objects.count(),
    )


def events_of(identity: UUID) -> list[str]:
    return list(
        OutboxEvent.objects.filter(aggregate=str(identity))
        .order_by("seq")
        .values_list("name", flat=True)
    )


def books_are_sound() -> bool:
    return violations() == []


class Hook:
    """Takes the provider's messages to the house's own hook, through the whole of Django."""

    def __init__(self) -> None:
        self.browser = Browser()
        self.answers: list[int] = []

    def __call__(self, url: str, body: str, headers: dict[str, str]) -> bool:
        sent = {name: value for name, value in headers.items() if name != "content-type"}
        answer = self.browser.post(HOOK, body, content_type="application/json", headers=sent)
        self.answers.append(answer.status_code)
        return answer.status_code < 300
