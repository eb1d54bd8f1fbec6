"""The engine's money against the books: the same to the cent, but for what is on its way between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection

from apps.core import clock
from apps.core.money import Money
from apps.ledger.enums import AccountKind

# A reservation is booked by whoever asked for it within moments; one that is older was forgotten.
RESERVED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class EngineBreak:
    """An account whose money in the engine is not what the books say. `under_way` is already taken into account."""

    account_id: UUID
    engine: Money
    books: Money
    under_way: Money

    @property
    def difference(self) -> Money:
        """What the engine has too much (positive) or too little."""
        return self.engine + self.under_way - self.books

    def __str__(self) -> str:
        return (
            f"account {self.account_id}: engine {self.engine}, under way {self.under_way}, "
            f"books {self.books}, difference {self.difference}"
        )


# `told`: in the books, asked of the engine, and no receipt of it yet. `reserved`: gone from the engine a moment ago,
# no `<reference>:debit` in the books yet and no `<reference>:back` told.
_ACCOUNTS = """
WITH told AS (
  SELECT o.aggregate AS account, e.shard,
         CASE o.payload->>'direction' WHEN 'IN' THEN 1 ELSE -1 END * (o.payload->>'amount_minor')::numeric AS minor,
         left('funds:' || (o.payload->>'reference') || ':' || (o.payload->>'direction'), 120) AS key
    FROM core_outboxevent o JOIN orders_engineaccount e ON e.account_id::text = o.aggregate
   WHERE o.name = 'orders.FundsApplyRequested' AND o.payload->>'kind' = 'BALANCE'
), waiting AS (
  SELECT account, sum(minor) AS minor FROM told
   WHERE NOT EXISTS (SELECT 1 FROM orders_commandreceipt r WHERE r.shard = told.shard AND r.key = told.key)
   GROUP BY account
), reserved AS (
  SELECT o.aggregate AS account, sum((o.payload->>'amount')::numeric) AS amount
    FROM core_outboxevent o
   WHERE o.name = 'orders.FundsApplied' AND o.payload->>'kind' = 'RESERVE' AND o.created_at > %s
     AND NOT EXISTS (SELECT 1 FROM ledger_entry n WHERE n.idempotency_key = (o.payload->>'reference') || ':debit')
     AND NOT EXISTS (SELECT 1 FROM told WHERE told.key = left('funds:' || (o.payload->>'reference') || ':back:IN', 120))
   GROUP BY o.aggregate
)
SELECT e.account_id, e.currency, e.balance, coalesce(b.credits_posted - b.debits_posted, 0),
       coalesce(w.minor, 0), coalesce(r.amount, 0)
  FROM orders_engineaccount e
  LEFT JOIN ledger_account a
    ON a.kind = %s AND a.currency = e.currency AND a.owner = 'trading:' || e.account_id::text
  LEFT JOIN ledger_balance b ON b.account_id = a.id
  LEFT JOIN waiting w ON w.account = e.account_id::text
  LEFT JOIN reserved r ON r.account = e.account_id::text
 ORDER BY e.account_id
"""


def engine_breaks() -> Iterator[EngineBreak]:
    """Every account whose engine balance and ledger balance differ by more than what is under way."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, [clock.now() - RESERVED_FOR, AccountKind.CLIENT_TRADING.value])
        rows = cursor.fetchall()
    for account_id, currency, engine, books, told, reserved in rows:
        found = EngineBreak(
            account_id=account_id,
            engine=Money.from_minor(int(engine), currency),
            books=Money.from_minor(int(books), currency),
            under_way=Money.from_minor(int(told), currency) - Money.of(reserved, currency),
        )
        if found.difference:
            yield found
