"""People and things that stories about accounts need."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from apps.accounts.adapters import simulator
from apps.accounts.catalogue import DATA, read_catalogue
from apps.accounts.models import PlatformServer, TradingAccount
from apps.accounts.services import account_open, catalogue_load
from apps.clients.enums import Category, KycStatus, Lifecycle
from apps.clients.models import Client, LegalEntity, Person
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.market.models import MarginClass

SYSTEM = Actor.system("tests")
_numbers = count(1)
_keys = count(1)


def staff(*permissions: Any, number: int = 7, level: ScopeLevel = ScopeLevel.ALL) -> Actor:
    return Actor(
        ActorKind.STAFF,
        f"user:{number}",
        f"person {number}",
        permissions=frozenset(str(permission) for permission in permissions),
        scope=Scope(level),
    )


def entity(code: str = "BOS-EU") -> LegalEntity:
    found = LegalEntity.objects.filter(code=code).first()
    if found is None:
        found = LegalEntity(
            code=code,
            name=code,
            regime="EU_RETAIL" if code == "BOS-EU" else "OFFSHORE",
            regulator="CySEC",
            base_currency="EUR" if code == "BOS-EU" else "USD",
            licence_text="",
            risk_warning="",
            footer="",
            support_email="help@brokeros.example",
        )
        found.save_as(SYSTEM, "test")
    return found


def client_of(code: str = "BOS-EU", **values: Any) -> Client:
    """An approved client; `values` change one thing."""
    number = next(_numbers)
    person = Person(
        first_name="Ana",
        last_name=f"Number{number}",
        email=f"ana{number}@client.example",
        country="DE",
    )
    person.save_as(SYSTEM, "test")
    defaults = {
        "number": f"C{number:06}",
        "entity": entity(code),
        "person": person,
        "country": "DE" if code == "BOS-EU" else "AE",
        "category": Category.RETAIL,
        "lifecycle": Lifecycle.ACTIVE,
        "kyc_status": KycStatus.APPROVED,
        "kyc_level": 1,
        "appropriateness": "PASSED",
    }
    client = Client(**(defaults | values))
    client.save_as(SYSTEM, "test")
    return client


def margin_classes() -> None:
    for code, cap in {"FX_MAJOR": 30, "FX_MINOR": 20, "CRYPTO": 2}.items():
        if not MarginClass.objects.filter(code=code).exists():
            MarginClass(code=code, name=code, retail_leverage=cap).save_as(SYSTEM, "test")


def load_catalogue(platform: simulator.PlatformServer | None = None) -> None:
    """The shipped catalogue, with its server pointed at a running platform."""
    catalogue_load(catalogue=read_catalogue(DATA / "catalogue.toml"), actor=SYSTEM, reason="test")
    server = PlatformServer.objects.get(code="meridian-live-1")
    port = platform.server_address[1] if platform else 9
    server.address = f"http://127.0.0.1:{port}"
    server.timeout_ms = 700
    server.save_as(SYSTEM, "test")


def client_actor(client: Client) -> Actor:
    from apps.accounts.permissions import CHANGE_LEVERAGE, OPEN_ACCOUNT

    return Actor(
        ActorKind.CLIENT,
        f"user:{client.number}",
        f"login {client.number}",
        permissions=frozenset({OPEN_ACCOUNT.code, CHANGE_LEVERAGE.code}),
        client_ids=frozenset({client.id}),
    )


def opens(client: Client, **values: Any) -> TradingAccount:
    asked: dict[str, Any] = {
        "client_id": client.id,
        "account_type": "eu-standard" if client.entity.code == "BOS-EU" else "int-standard",
        "currency": "EUR" if client.entity.code == "BOS-EU" else "USD",
        "leverage": 30,
        "actor": client_actor(client),
        "request_key": f"press-{next(_keys)}",
    }
    return account_open(**(asked | values))


def fresh(account: TradingAccount) -> TradingAccount:
    return TradingAccount.objects.get(pk=account.pk)


def balance_on(account: TradingAccount, platform: simulator.PlatformServer) -> Decimal:
    """What the platform itself says the account holds."""
    book = platform.RequestHandlerClass.book
    return Decimal(book.account(fresh(account).login)["balance"])
