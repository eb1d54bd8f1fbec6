"""What a person does in the house under test, as a program of its own: one JSON line in, JSON lines out.

Whatever is not acknowledged (the engine is silent, the database is away) is sent again with the same id until it is:
that is the contract that a client has with the house.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import django

django.setup()

import redis
from django.db import InterfaceError, OperationalError, connection, transaction

from apps.accounts.models import TradingAccount
from apps.accounts.services import account_open
from apps.core.actor import Actor
from apps.core.errors import Busy
from apps.core.models import Delivery, OutboxEvent
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.services import Leg, post
from apps.ledger.verification import violations
from apps.market.selectors import last_quote
from apps.orders.enums import OrderStatus
from apps.orders.errors import EngineSilent
from apps.orders.models import EngineAccount, Execution, Order, Position
from apps.orders.selectors import orders_open
from apps.orders.services import order_submit
from apps.payments.models import Transfer
from apps.payments.selectors import wallet_account
from apps.payments.services import transfers
from tests.accounts import world

SYSTEM = Actor.system("tests")
AWAY = (
    OperationalError,
    InterfaceError,
    EngineSilent,
    redis.ConnectionError,
    redis.TimeoutError,
    Busy,
)
SYMBOL = "BTCUSD"
LOTS = Decimal("0.01")
NO_PRICE = {"QUOTE_MISSING", "QUOTE_STALE"}
PACE_S = 0.06
PATIENCE_S = float(os.environ.get("PATIENCE_S", "120"))


def until_acknowledged(attempt: Callable[[], Any]) -> tuple[Any, int]:
    """The answer, and how many attempts got none."""
    deadline = time.monotonic() + PATIENCE_S
    silent = 0
    while True:
        try:
            return attempt(), silent
        except AWAY:
            connection.close()
            silent += 1
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def acknowledge(value: Any) -> None:
    print(json.dumps({"acknowledged": value}), flush=True)


def arrive(wallet: str) -> dict[str, str]:
    """A verified client with money in the wallet and an open account on the platform, registered in the engine."""
    client = world.client_of("BOS-INT", number=f"F{uuid4().hex[:10]}", kyc_level=2)
    amount = Money.of(wallet, "USD")
    with transaction.atomic():
        post(
            kind="test.funding",
            key=f"faults-{client.pk}",
            legs=[
                Leg(
                    account_for(AccountKind.BANK_CLIENT_MONEY, "USD"),
                    wallet_account(client.pk, "USD"),
                    amount,
                )
            ],
            actor=SYSTEM,
        )
    account = account_open(
        client_id=client.pk,
        account_type="int-standard",
        currency="USD",
        leverage=30,
        actor=SYSTEM,
        request_key=f"faults-{client.pk}",
    )
    wait_for(
        lambda: EngineAccount.objects.filter(pk=account.pk).exists(), "the account in the engine"
    )
    assert TradingAccount.objects.get(pk=account.pk).state == "ACTIVE"
    return {"client": str(client.pk), "account": str(account.pk)}


def transfer(client: str, account: str, amount: str, count: int, name: str) -> int:
    """Wallet to trading account, `count` times; acknowledged once each request is written down."""
    for number in range(count):
        request_key = f"{name}-{number}"

        def attempt(request_key: str = request_key) -> Transfer:
            return transfers.transfer_request(
                client_id=UUID(client),
                account_id=UUID(account),
                direction="TO_ACCOUNT",
                amount=Money.of(amount, "USD"),
                request_key=request_key,
                actor=SYSTEM,
            )

        made, _ = until_acknowledged(attempt)
        acknowledge(str(made.pk))
        # At a person's pace, so that what follows each of them is under way when something dies.
        time.sleep(0.05)
    return count


def arrived(client: str) -> dict[str, int]:
    """Waits until every transfer is finished; how many in each state."""

    def finished() -> bool:
        mine = Transfer.objects.filter(client_id=client)
        return not [one for one in mine if not one.is_finished]

    wait_for(finished, "the transfers to finish")
    states = Transfer.objects.filter(client_id=client).values_list("state", flat=True)
    return {state: list(states).count(state) for state in set(states)}


def trade(account: str, count: int, name: str) -> dict[str, int]:
    """Small market purchases one after the other; acknowledged with the order's number."""
    repeated = 0
    for number in range(count):
        client_order_id = f"{name}-{number}"

        def attempt(client_order_id: str = client_order_id) -> Any:
            return order_submit(
                account_id=UUID(account),
                client_order_id=client_order_id,
                symbol=SYMBOL,
                side="BUY",
                type="MARKET",
                quantity=LOTS,
                actor=SYSTEM,
                wait=2.0,
            )

        reply, silent = until_acknowledged(attempt)
        repeated += silent
        acknowledge([client_order_id, reply.order_id, reply.accepted, reply.code])
        if reply.code in NO_PRICE:
            await_new_price()
        # At a person's pace: an account may not send more than its orders per second.
        time.sleep(PACE_S)
    return {"repeated": repeated}


def await_new_price() -> None:
    seen = (None, last_quote(SYMBOL))
    wait_for(lambda: last_quote(SYMBOL) not in seen, "a new price")


def orders(account: str) -> list[list[Any]]:
    """What is stored once no order waits for a venue any more: id, number, status, filled and executed steps."""
    mine = Order.objects.filter(account_id=account).order_by("pk")
    wait_for(lambda: not orders_open(UUID(account)).exists(), "the venues to answer")
    return [
        [
            order.client_order_id,
            order.pk,
            OrderStatus(order.status).name,
            int(order.filled_lots / LOTS),
            sum(int(fill.lots / LOTS) for fill in Execution.objects.filter(order_id=order.pk)),
        ]
        for order in mine
    ]


def holds(client: str, account: str) -> dict[str, Any]:
    """The client's money and positions, as the engine and the books say."""
    engine = EngineAccount.objects.get(pk=account)
    trading = account_for(AccountKind.CLIENT_TRADING, "USD", f"trading:{account}")
    in_transit = account_for(AccountKind.TRANSFER_IN_TRANSIT, "USD")
    return {
        "engine_minor": engine.balance,
        "books_minor": balance_of(trading).posted.minor,
        "wallet_minor": balance_of(wallet_account(UUID(client), "USD")).posted.minor,
        "in_transit_minor": balance_of(in_transit).posted.minor,
        "open_hundredths": sum(
            int(position.lots / LOTS)
            for position in Position.objects.open().filter(account_id=account)
        ),
    }


def verify() -> dict[str, Any]:
    """Waits until every event was carried, then what the house's own proofs say."""
    from apps.core import verification

    wait_for(
        lambda: (
            not OutboxEvent.objects.filter(dispatched_at__isnull=True).exists()
            and not Delivery.objects.filter(state="PENDING").exists()
        ),
        "every event to be carried",
    )
    return {
        "ledger": [str(finding) for finding in violations()],
        "audit": [str(finding) for finding in verification.verify()],
        "dead_letters": list(
            Delivery.objects.filter(state="DEAD").values_list("handler", "last_error")
        ),
    }


def wait_for(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if holds():
                return
        except AWAY:
            connection.close()
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:.0f} s for {what}")
        time.sleep(0.2)


DEEDS: dict[str, Callable[..., Any]] = {
    deed.__name__: deed for deed in (arrive, transfer, arrived, trade, orders, holds, verify)
}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            outcome = DEEDS[asked.pop("what")](**asked)
        except Exception:
            print(json.dumps({"failed": traceback.format_exc()}), flush=True)
        else:
            print(json.dumps({"outcome": outcome}, default=str), flush=True)


if __name__ == "__main__":
    main()
