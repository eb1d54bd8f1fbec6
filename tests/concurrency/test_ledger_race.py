"""Real connections that want the same money at the same instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

import pytest
from django.db import connection, transaction

from apps.core.errors import DomainError
from apps.ledger.enums import Phase
from apps.ledger.models import Entry, Transfer
from apps.ledger.selectors import balance_of
from apps.ledger.services import Leg, hold_post, hold_void
from apps.ledger.verification import violations
from tests.ledger.books import ACTOR, clearing, deposited, held, in_transit, posted, usd, wallet

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 16


def at_once(count: int, work: Callable[[int], str]) -> Counter[str]:
    """Run `work(0..count-1)` on `THREADS` connections that start together; tells how often each answer came."""
    barrier = Barrier(THREADS)

    def run(worker: int) -> list[str]:
        try:
            barrier.wait()
            return [_answer(work, number) for number in range(worker, count, THREADS)]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(answer for answers in pool.map(run, range(THREADS)) for answer in answers)


def _answer(work: Callable[[int], str], number: int) -> str:
    try:
        return work(number)
    except DomainError as refusal:
        return refusal.code


def test_sixteen_threads_withdraw_and_only_those_whose_money_is_there_win():
    wallets = [wallet(f"racer-{number}") for number in range(10)]
    for account in wallets:
        deposited(account, "100.00")
    transit = in_transit()

    def withdraw(number: int) -> str:
        posted(Leg(wallets[number % 10], transit, usd("60.00"), Phase.PENDING))
        return "held"

    assert at_once(160, withdraw) == {"held": 10, "INSUFFICIENT_FUNDS": 150}
    assert {balance_of(account).available for account in wallets} == {usd("40.00")}
    assert violations() == []


def test_one_key_from_many_connections_has_one_effect():
    ana, bank = wallet(), clearing()

    def credit(_: int) -> str:
        return str(posted(Leg(bank, ana, usd("5.00")), key="the-same-event").pk)

    answers = at_once(48, credit)

    assert list(answers.values()) == [48]
    assert Entry.objects.count() == 1
    assert balance_of(ana).posted == usd("5.00")


def test_entries_over_the_same_accounts_in_any_order_never_deadlock():
    wallets = [wallet(f"racer-{number}") for number in range(6)]
    for account in wallets:
        deposited(account, "1000.00")

    def shuffle(number: int) -> str:
        random = Random(number)
        pairs = [random.sample(wallets, 2) for _ in range(3)]
        posted(*(Leg(debit, credit, usd("1.00")) for debit, credit in pairs))
        return "done"

    assert at_once(160, shuffle) == {"done": 160}
    assert sum(balance_of(account).posted.minor for account in wallets) == 600_000
    assert violations() == []


def test_a_hold_that_is_posted_and_voided_at_once_is_resolved_once():
    ana = wallet()
    deposited(ana, "1600.00")
    holds = [held(ana, "100.00") for _ in range(8)]

    def resolve(number: int) -> str:
        hold = Transfer.objects.select_related("debit", "credit").get(pk=holds[number % 8].pk)
        action = hold_post if number % 2 else hold_void
        with transaction.atomic():
            action(pending=hold, kind="race", key=f"race:{number}", actor=ACTOR)
        return "resolved"

    assert at_once(32, resolve) == {"resolved": 8, "HOLD_ALREADY_RESOLVED": 24}
    assert balance_of(ana).pending_out == usd("0.00")
    assert violations() == []
