"""The rules hold against anybody with a connection, without this program in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from apps.core import clock
from apps.ledger.models import Account, PeriodClose
from tests.ledger.books import clearing, deposited, held, in_transit, refused_by, wallet

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def raw_transfer(debit: Account, credit: Account, amount: int, **kwargs: Any) -> None:
    entry = uuid4()
    at = kwargs.get("at", clock.now())
    sql(
        "INSERT INTO ledger_entry (id, idempotency_key, request_hash, kind, actor, reason,"
        " effective_at, created_at) VALUES (%s, %s, '', 'raw', 'raw', '', %s, %s)",
        entry,
        kwargs.get("key", str(entry)),
        at,
        at,
    )
    sql(
        "INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, currency, amount, phase,"
        " pending_id, expires_at, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        entry,
        debit.pk,
        credit.pk,
        kwargs.get("currency", "USD"),
        amount,
        kwargs.get("phase", "single"),
        kwargs.get("pending"),
        kwargs.get("expires_at"),
        at,
    )


@pytest.fixture
def ana() -> Account:
    account = wallet()
    deposited(account, "100.00", key="funding")
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    return account


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transfer"])
def test_a_row_of_the_books_is_never_changed(ana, table):
    refused_by("ledger_append_only", lambda: sql(f"UPDATE {table} SET created_at = now()"))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transfer"])
def test_a_row_of_the_books_is_never_deleted(ana, table):
    refused_by("ledger_append_only", lambda: sql(f"DELETE FROM {table}"))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transfer"])
def test_the_books_are_never_emptied(ana, table):
    refused_by("ledger_append_only", lambda: sql(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_balance SET credits_posted = credits_posted + 1",
        "DELETE FROM ledger_balance",
        "TRUNCATE ledger_balance",
    ],
)
def test_a_balance_is_never_edited_by_hand(ana, statement):
    refused_by("ledger_balance_by_transfer_only", lambda: sql(statement))


def test_a_balance_is_never_made_by_hand(ana):
    refused_by(
        "ledger_balance_by_transfer_only",
        lambda: sql(
            "INSERT INTO ledger_balance VALUES (%s, 'C', true, 0, 999, 0, 0, 0)", ana.pk + 1
        ),
    )


@pytest.mark.parametrize(
    "change", ["kind = 'EQUITY'", "bounded = false", "normal = 'D'", "owner = 'client:eve'"]
)
def test_an_account_never_becomes_another(ana, change):
    refused_by("ledger_account_fixed", lambda: sql(f"UPDATE ledger_account SET {change}"))


def test_an_account_is_never_deleted(ana):
    refused_by("ledger_account_fixed", lambda: sql("DELETE FROM ledger_account"))


def test_a_transfer_never_crosses_currencies(ana):
    other = clearing("EUR")
    refused_by("ledger_transfer_debit_currency", lambda: raw_transfer(other, ana, 100))


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_is_more_than_zero(ana, amount):
    refused_by("ledger_transfer_positive", lambda: raw_transfer(clearing(), ana, amount))


def test_nobody_pays_themselves(ana):
    refused_by("ledger_transfer_two_accounts", lambda: raw_transfer(ana, ana, 100))


def test_a_wallet_is_never_overdrawn(ana):
    refused_by("ledger_no_overdraft", lambda: raw_transfer(ana, clearing(), 10_001))


def test_a_wallet_is_never_overdrawn_by_a_hold(ana):
    refused_by(
        "ledger_no_overdraft", lambda: raw_transfer(ana, in_transit(), 10_001, phase="pending")
    )


def test_a_key_has_one_entry(ana):
    refused_by(
        "ledger_entry_idempotency_key_key", lambda: raw_transfer(clearing(), ana, 1, key="funding")
    )


def test_a_hold_is_never_posted_for_more(ana):
    hold = held(ana, "60.00")
    refused_by(
        "ledger_hold_fits",
        lambda: raw_transfer(ana, in_transit(), 6_001, phase="post", pending=hold.pk),
    )


@pytest.mark.parametrize("second", ["post", "void"])
def test_a_hold_is_never_resolved_twice(ana, second):
    hold = held(ana, "60.00")
    raw_transfer(ana, in_transit(), 6_000, phase="post", pending=hold.pk)
    refused_by(
        "ledger_transfer_resolved_once",
        lambda: raw_transfer(ana, in_transit(), 6_000, phase=second, pending=hold.pk),
    )


def test_a_hold_is_resolved_only_between_its_own_accounts(ana):
    hold = held(ana, "60.00")
    refused_by(
        "ledger_hold_fits",
        lambda: raw_transfer(ana, clearing(), 6_000, phase="post", pending=hold.pk),
    )


def test_an_expired_hold_is_never_posted(ana):
    hold = held(ana, "60.00", expires_at=clock.now())
    refused_by(
        "ledger_hold_expired",
        lambda: raw_transfer(ana, in_transit(), 6_000, phase="post", pending=hold.pk),
    )


def test_only_a_hold_can_be_posted(ana):
    refused_by("ledger_transfer_phase", lambda: raw_transfer(ana, in_transit(), 1, phase="post"))


def test_a_closed_account_takes_nothing(ana):
    sql("UPDATE ledger_account SET closed_at = now() WHERE id = %s", ana.pk)
    refused_by("ledger_account_closed", lambda: raw_transfer(clearing(), ana, 1))


def test_a_closed_period_takes_nothing(ana):
    moment = clock.now()
    PeriodClose.objects.create(
        closed_through=moment, closed_by="test", reason="month end", created_at=moment
    )
    refused_by(
        "ledger_period_open",
        lambda: raw_transfer(clearing(), ana, 1, at=moment - timedelta(days=1)),
    )
