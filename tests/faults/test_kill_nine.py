"""kill -9 in the middle of a journey: what was acknowledged is there once, nothing is lost and nothing is doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.faults.house import House, Person

ORDERS = 30
TRANSFERS = 24
FILLED = ("FILLED", 1, 1)
# A venue may reject or let a small order pass; then nothing was executed either.
UNFILLED = {("CANCELED", 0, 0), ("REJECTED", 0, 0)}
# Redis carries the prices: until the feed has written new ones, orders are refused, and the refusal is stored.
# The person then waits for a price, so an outage costs a few orders, and the last one is accepted.
FEW = 6
QUOTES_GONE = {"redis": {"QUOTE_MISSING", "QUOTE_STALE"}}
CLEAN: dict[str, Any] = {"ledger": [], "audit": [], "dead_letters": []}


def a_trader(person: Person) -> dict[str, str]:
    """A client with 90,000 USD on the trading account."""
    client: dict[str, str] = person.does("arrive", wallet="100000")
    person.does("transfer", **client, amount="90000", count=1, name="margin")
    assert person.does("arrived", client=client["client"]) == {"DEST_CREDITED": 1}
    return client


@pytest.mark.parametrize("victim", ["engine", "postgres", "redis", "web"])
def test_every_acknowledged_order_is_filled_once_when_a_process_is_killed_in_between(
    house: House, person: Person, victim: str
) -> None:
    client = a_trader(person)
    acknowledged = []
    killed = 0

    for answer in person.goes_on("trade", account=client["account"], count=ORDERS, name="order"):
        if isinstance(answer, list):
            acknowledged.append(answer)
        if len(acknowledged) in (8, 20) and isinstance(answer, list):
            killed = house.kill(victim)
    house.await_restarted(victim, killed)

    stored = person.does("orders", account=client["account"])
    refusals = [code for _, _, accepted, code in acknowledged if not accepted]
    assert set(refusals) <= QUOTES_GONE.get(victim, set())
    assert len(refusals) <= FEW
    assert acknowledged[-1][2]
    assert [(name, number) for name, number, *_ in stored] == [
        (name, number) for name, number, *_ in acknowledged
    ]
    outcomes = Counter(tuple(order[2:]) for order in stored)
    assert set(outcomes) <= {FILLED, *UNFILLED}, outcomes
    assert outcomes[FILLED] > 0
    holding = person.does("holds", **client)
    assert holding["open_hundredths"] == outcomes[FILLED]
    assert holding["engine_minor"] == holding["books_minor"]
    assert person.does("verify") == CLEAN


@pytest.mark.parametrize(
    "victims", [("relay",), ("worker",), ("relay", "worker", "postgres")], ids="+".join
)
def test_every_acknowledged_transfer_arrives_once_when_its_carriers_are_killed(
    house: House, person: Person, victims: tuple[str, ...]
) -> None:
    client = person.does("arrive", wallet="1000")
    acknowledged = []
    killed: dict[str, int] = {}

    for answer in person.goes_on("transfer", **client, amount="10", count=TRANSFERS, name="press"):
        if isinstance(answer, str):
            acknowledged.append(answer)
            if len(acknowledged) % 6 == 0:
                victim = victims[len(acknowledged) // 6 % len(victims)]
                killed[victim] = house.kill(victim)
    states = person.does("arrived", client=client["client"])
    for victim, pid in killed.items():
        house.await_restarted(victim, pid)

    assert [count for _, count in Counter(acknowledged).most_common(1)] == [1]
    assert states == {"DEST_CREDITED": TRANSFERS}
    assert person.does("verify") == CLEAN
    holding = person.does("holds", **client)
    assert holding["engine_minor"] == holding["books_minor"] == TRANSFERS * 1000
    assert holding["wallet_minor"] == 100_000 - TRANSFERS * 1000
    assert holding["in_transit_minor"] == 0


def test_every_acknowledged_transfer_arrives_once_when_redis_forgets_everything(
    house: House, person: Person
) -> None:
    """Queues, claims and hints go; what they carried is in the outbox and is sent again."""
    client = person.does("arrive", wallet="1000")
    acknowledged = 0

    for answer in person.goes_on("transfer", **client, amount="10", count=12, name="forgotten"):
        acknowledged += isinstance(answer, str)
        if isinstance(answer, str) and acknowledged % 4 == 0:
            house.forget_redis()

    assert person.does("arrived", client=client["client"]) == {"DEST_CREDITED": 12}
    assert person.does("verify") == CLEAN
    holding = person.does("holds", **client)
    assert holding["engine_minor"] == holding["books_minor"] == 12_000
    assert holding["in_transit_minor"] == 0


def test_a_restart_is_said_in_the_output(house: House, person: Person) -> None:
    killed = house.kill("beat")

    house.await_restarted("beat", killed)

    assert "beat       | ended by signal SIGKILL; starts again in " in house.said()
