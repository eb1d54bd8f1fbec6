"""`verify_ledger` finds what somebody with the owner's rights did, and names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core import clock
from apps.ledger.verification import violations
from tests.ledger.books import clearing, deposited, held, wallet

pytestmark = pytest.mark.django_db


@contextmanager
def owner_of_the_database() -> Iterator[None]:
    """Triggers off: what only a superuser can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")


def tampered(statement: str, *values: object) -> None:
    with owner_of_the_database(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_sound_books_pass(transactional_db):
    deposited(wallet(), "100.00")
    held(wallet(), "40.00")
    out = StringIO()

    call_command("verify_ledger", stdout=out)

    assert "The books are sound." in out.getvalue()


def test_the_command_fails_and_names_the_account(transactional_db):
    deposited(wallet(), "100.00")
    tampered("UPDATE ledger_balance SET credits_posted = 10001 WHERE account_id = %s", wallet().pk)
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match="2 violations"):
        call_command("verify_ledger", stdout=out, stderr=err)

    assert "I1 currency USD: debits 10000, credits 10001" in err.getvalue()
    assert f"I3 account {wallet().pk}: balance 0/10001/0/0, transfers 0/10000/0/0" in err.getvalue()


def test_a_changed_transfer_is_found_on_both_accounts():
    entry = deposited(wallet(), "100.00")
    tampered("UPDATE ledger_transfer SET amount = 9000 WHERE entry_id = %s", entry.pk)

    assert {(f.invariant, f.subject) for f in violations()} == {
        ("I3", f"account {wallet().pk}"),
        ("I3", f"account {clearing().pk}"),
    }


def test_a_deleted_transfer_leaves_an_entry_without_one():
    entry = deposited(wallet(), "100.00")
    tampered("DELETE FROM ledger_transfer WHERE entry_id = %s", entry.pk)

    assert ("I10", f"entry {entry.pk}") in {(f.invariant, f.subject) for f in violations()}


def test_a_hold_that_nobody_released_in_time_is_named():
    deposited(wallet(), "100.00")
    hold = held(wallet(), "40.00", expires_at=clock.now() + timedelta(minutes=1))

    assert violations() == []
    with clock.frozen(clock.now() + timedelta(minutes=7)):
        assert [(f.invariant, f.subject) for f in violations()] == [("I11", f"transfer {hold.pk}")]
