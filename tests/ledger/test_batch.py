"""The engine's way into the books: many single transfers in one round trip."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from psycopg.errors import CheckViolation

from apps.ledger.enums import AccountKind
from apps.ledger.errors import IdempotencyConflict, InvalidPosting
from apps.ledger.models import Account, Entry
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.services import BatchRow, post_batch
from apps.ledger.verification import violations
from tests.ledger.books import clearing, fingerprint, usd, wallet

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def row(key: str, debit: Account, credit: Account, minor: int) -> BatchRow:
    return BatchRow(
        key=key,
        kind="deal.pnl",
        debit_id=debit.pk,
        credit_id=credit.pk,
        currency="USD",
        amount_minor=minor,
        at=AT,
    )


def batch(rows: list[BatchRow]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        return post_batch(cursor.cursor, rows)


def trading(number: int) -> Account:
    return account_for(AccountKind.CLIENT_TRADING, "USD", f"trading:{number}")


def house() -> Account:
    return account_for(AccountKind.BBOOK_PNL, "USD")


def test_two_hundred_results_of_deals_are_one_statement(django_assert_num_queries):
    rows = [row(f"deal:{n}", house(), trading(n % 5), n + 1) for n in range(200)]

    with transaction.atomic(), django_assert_num_queries(1), connection.cursor() as cursor:
        assert post_batch(cursor, rows) == 200

    assert balance_of(house()).posted == usd("-201.00")
    assert sum(balance_of(trading(n)).posted.minor for n in range(5)) == 20100
    assert violations() == []


def test_a_replayed_batch_changes_nothing():
    rows = [row(f"deal:{n}", house(), trading(1), 100) for n in range(10)]
    batch(rows)
    before = fingerprint()

    assert batch(rows) == 0
    assert fingerprint() == before


def test_only_what_is_new_of_a_batch_is_posted():
    batch([row("deal:1", house(), trading(1), 100)])

    assert (
        batch([row("deal:1", house(), trading(1), 100), row("deal:2", house(), trading(1), 5)]) == 1
    )
    assert balance_of(trading(1)).posted == usd("1.05")


def test_the_same_commands_write_the_same_ids():
    batch([row("deal:1", house(), trading(1), 100)])
    assert Entry.objects.get().pk == row("deal:1", house(), trading(1), 100).entry_id
    assert Entry.objects.get().effective_at == AT


@pytest.mark.parametrize("together", [True, False])
def test_a_known_key_with_other_content_is_refused(together):
    first, other = (row("deal:1", house(), trading(1), minor) for minor in (100, 101))
    if not together:
        batch([first])
    before = fingerprint()

    with pytest.raises(IdempotencyConflict):
        batch([first, other] if together else [other, row("deal:2", house(), trading(1), 1)])

    assert fingerprint() == before


def test_a_bounded_account_refuses_the_whole_batch():
    ana = wallet()
    rows = [row("in", clearing(), ana, 100), row("out", ana, clearing(), 101)]
    before = fingerprint()

    with pytest.raises(CheckViolation, match="ledger_no_overdraft"):
        batch(rows)

    assert fingerprint() == before


def test_an_amount_of_zero_is_refused_before_the_database_is_asked():
    with pytest.raises(InvalidPosting):
        batch([row("deal:1", house(), trading(1), 0)])
    assert Entry.objects.count() == 0


def test_an_empty_batch_is_nothing():
    assert batch([]) == 0
