"""A few words for stories about the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.actor import Actor
from apps.core.money import Money
from apps.ledger.enums import AccountKind, Phase
from apps.ledger.models import Account, Entry, Transfer
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.services import Leg, post

ACTOR = Actor.system("test")


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def wallet(name: str = "ana", currency: str = "USD") -> Account:
    return account_for(AccountKind.CLIENT_WALLET, currency, f"client:{name}")


def clearing(currency: str = "USD") -> Account:
    return account_for(AccountKind.PSP_CLEARING, currency, "psp:test")


def in_transit(currency: str = "USD") -> Account:
    return account_for(AccountKind.WITHDRAWAL_IN_TRANSIT, currency)


def posted(*legs: Leg, key: str = "", **kwargs: Any) -> Entry:
    with transaction.atomic():
        return post(
            kind=kwargs.pop("kind", "test"),
            key=key or str(uuid4()),
            legs=list(legs),
            actor=ACTOR,
            **kwargs,
        )


def deposited(account: Account, amount: str, key: str = "") -> Entry:
    money = Money.of(amount, account.currency_id)
    return posted(Leg(clearing(account.currency_id), account, money), key=key)


def held(account: Account, amount: str, **kwargs: Any) -> Transfer:
    money = Money.of(amount, account.currency_id)
    leg = Leg(account, in_transit(account.currency_id), money, Phase.PENDING, **kwargs)
    return posted(leg).transfers.get()


def figures(account: Account) -> tuple[str, str, str]:
    """Posted, held to go out, available."""
    balance = balance_of(account)
    return (
        str(balance.posted.amount),
        str(balance.pending_out.amount),
        str(balance.available.amount),
    )


def fingerprint() -> tuple[Any, ...]:
    """Everything in the books, so that a test can say that nothing changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(id) FROM ledger_transfer")
        transfers = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM ledger_entry")
        entries = cursor.fetchone()
        cursor.execute("SELECT * FROM ledger_balance ORDER BY account_id")
        return transfers, entries, cursor.fetchall()


def refused_by(constraint: str, action: Callable[[], Any]) -> None:
    """The database itself refuses, by this rule, and the books stay as they were."""
    before = fingerprint()
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        action()
    cause = refusal.value.__cause__
    assert cause is not None
    assert cause.diag.constraint_name == constraint, refusal.value  # type: ignore[attr-defined]
    assert fingerprint() == before
