"""A brokerage with open trading accounts, for tests that go through services, tables and the real engine."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from django.test import Client as Browser

from apps.accounts.enums import PlatformKind
from apps.accounts.models import (
    AccountGroup,
    AccountType,
    Platform,
    PlatformServer,
    TradingAccount,
)
from apps.clients.models import ClientLogin
from apps.core import clock
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.money import Money
from apps.core.outbox import deliver_all
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.market.feeding import QuotePublisher, Tick, master_data
from apps.market.quotes import to_us
from apps.market.selectors import instrument_get
from apps.market.services import instruments_load
from apps.orders.permissions import CANCEL_ORDER, SUBMIT_ORDER, VIEW_ORDER
from apps.orders.services import OrderReply, account_funds_apply, account_register, order_submit
from apps.rules.compiled import forget_compiled
from apps.rules.services import load_rule_files
from apps.users.models import Role, User
from apps.users.roles import load_roles
from tests.accounts import world

SYSTEM = Actor.system("tests")
_numbers = count(1)

QUOTES = {
    "EURUSD": ("1.10000", "1.10010"),
    "GBPUSD": ("1.25000", "1.25020"),
    "USDJPY": ("150.000", "150.010"),
    "XAUUSD": ("2000.00", "2000.30"),
}


def open_market(**quotes: tuple[str, str]) -> None:
    """The shipped instruments, with a price on those that tests trade."""
    forget_compiled()
    load_rule_files(actor=SYSTEM)
    instruments_load(data=master_data(), actor=SYSTEM, reason="test")
    for symbol, (bid, ask) in {**QUOTES, **quotes}.items():
        price(symbol, bid, ask)


def price(symbol: str, bid: str, ask: str) -> None:
    digits = instrument_get(symbol).digits
    points = [int(Decimal(text).scaleb(digits)) for text in (bid, ask)]
    QuotePublisher("TEST", {symbol: digits}).publish([Tick(symbol, *points, to_us(clock.now()))])


def catalogue() -> tuple[PlatformServer, AccountGroup, AccountType]:
    server = PlatformServer.objects.filter(code="test-1").first()
    if server is not None:
        return server, server.groups.get(), server.account_types.get()
    platform = Platform(code="test", name="Test", kind=PlatformKind.values[0])
    platform.save_as(SYSTEM, "test")
    server = PlatformServer(
        platform=platform,
        code="test-1",
        name="Test",
        address="http://127.0.0.1:9",
        environment="LIVE",
    )
    server.save_as(SYSTEM, "test")
    group = AccountGroup(server=server, code="retail", currency="USD")
    group.save_as(SYSTEM, "test")
    kind = AccountType(
        code="test",
        name="Test",
        description="",
        server=server,
        mode="HEDGING",
        leverages=[30],
        entities=["BOS-EU", "BOS-INT"],
        categories=["RETAIL"],
    )
    kind.save_as(SYSTEM, "test")
    return server, group, kind


def trading_account(
    *, funds: str = "10000", currency: str = "USD", **values: Any
) -> TradingAccount:
    """An active, funded account: in the database, in the engine and in the ledger."""
    server, group, kind = catalogue()
    client = values.pop("client", None) or world.client_of(values.pop("entity", "BOS-INT"))
    account = TradingAccount(
        **{
            "client": client,
            "account_type": kind,
            "server": server,
            "group": group,
            "login": str(700_000 + next(_numbers)),
            "currency": currency,
            "leverage": 30,
            "leverage_cap": 30,
            "mode": "HEDGING",
            "state": "ACTIVE",
            "request_key": f"key-{next(_numbers)}",
            "activated_at": clock.now(),
            **values,
        }
    )
    account.save_as(SYSTEM, "test")
    account_register(account_id=account.id)
    if Decimal(funds):
        fund(account, funds)
    return account


def fund(account: TradingAccount, funds: str) -> None:
    """Money from the bank to the account, as a transfer would bring it."""
    from django.db import transaction

    amount = Money.of(funds, account.currency)
    reference = f"test-{next(_numbers)}"
    with transaction.atomic():
        post(
            kind="test.funding",
            key=reference,
            legs=[
                Leg(
                    account_for(AccountKind.BANK_CLIENT_MONEY, account.currency),
                    account_for(
                        AccountKind.CLIENT_TRADING, account.currency, f"trading:{account.id}"
                    ),
                    amount,
                )
            ],
            actor=SYSTEM,
        )
        account_funds_apply(
            account_id=account.id, amount=amount, reference=reference, direction="IN"
        )
    deliver_all()


def holder_of(account: TradingAccount) -> Actor:
    """The client whose account it is."""
    return Actor(
        ActorKind.CLIENT,
        f"user:{account.client.number}",
        "client",
        permissions=frozenset(str(p) for p in (VIEW_ORDER, SUBMIT_ORDER, CANCEL_ORDER)),
        scope=Scope(ScopeLevel.NONE),
        client_ids=frozenset({account.client_id}),
    )


def trades(
    account: TradingAccount, side: str, lots: str, symbol: str = "EURUSD", **fields: Any
) -> OrderReply:
    """The holder places an order; at market unless a limit is named."""
    limit = fields.pop("limit", None)
    fields.setdefault("client_order_id", f"t{next(_numbers)}")
    return order_submit(
        account_id=account.id,
        symbol=symbol,
        side=side,
        type="LIMIT" if limit else "MARKET",
        quantity=Decimal(lots),
        limit_price=Decimal(limit) if limit else None,
        actor=fields.pop("actor", None) or holder_of(account),
        **fields,
    )


def sign_in(account: TradingAccount) -> Browser:
    """A browser in which the account's holder is signed in, with the client's role."""
    load_roles()
    user = User.objects.create_user(
        f"{account.client.number.lower()}@client.example", "demo-Broker-2026"
    )
    user.groups.add(Role.objects.get(name="client"))
    ClientLogin(user=user, client=account.client).save_as(SYSTEM, "test")
    browser = Browser()
    browser.force_login(user)
    return browser


def staff_browser(role: str) -> Browser:
    """A browser in which somebody with this role is signed in."""
    load_roles()
    user = User.objects.create_user(
        f"{role}@demo.brokeros.example", is_staff=True, scope_level=ScopeLevel.ALL
    )
    user.groups.add(Role.objects.get(name=role))
    browser = Browser()
    browser.force_login(user)
    return browser
