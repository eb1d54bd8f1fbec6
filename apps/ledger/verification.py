"""The invariants of the books, recomputed from the rows themselves. Each finding names the
account or transfer.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from apps.core.clock import now


@dataclass(frozen=True, slots=True)
class Finding:
    invariant: str
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Invariant:
    """`query` returns (subject, problem) for every violation; `%(now)s` is the present moment."""

    code: str
    promise: str
    query: str


_FOLD = """
WITH legs AS (
  SELECT CASE side WHEN 1 THEN t.debit_id ELSE t.credit_id END AS account_id, side,
         CASE WHEN t.phase IN ('single', 'post') THEN t.amount ELSE 0 END AS posted,
         CASE t.phase WHEN 'pending' THEN t.amount WHEN 'single' THEN 0 ELSE -p.amount END AS held
    FROM ledger_transfer t LEFT JOIN ledger_transfer p ON p.id = t.pending_id
   CROSS JOIN (VALUES (0), (1)) AS sides(side)
), fold AS (
  SELECT account_id, sum(posted * side) AS dp, sum(held * side) AS dn,
         sum(posted * (1 - side)) AS cp, sum(held * (1 - side)) AS cn
    FROM legs GROUP BY account_id
)
SELECT 'account ' || a.id,
       'balance ' || concat_ws('/', b.debits_posted, b.credits_posted, b.debits_pending,
                               b.credits_pending)
       || ', transfers ' || concat_ws('/', coalesce(dp, 0), coalesce(cp, 0), coalesce(dn, 0),
                                      coalesce(cn, 0))
  FROM ledger_account a
  LEFT JOIN ledger_balance b ON b.account_id = a.id
  LEFT JOIN fold f ON f.account_id = a.id
 WHERE (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending)
       IS DISTINCT FROM (coalesce(dp, 0), coalesce(cp, 0), coalesce(dn, 0), coalesce(cn, 0))
"""

INVARIANTS = [
    Invariant(
        "I1",
        "posted debits equal posted credits in every currency",
        "SELECT 'currency ' || a.currency,"
        " 'debits ' || sum(debits_posted) || ', credits ' || sum(credits_posted)"
        " FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id GROUP BY a.currency"
        " HAVING sum(debits_posted) <> sum(credits_posted)",
    ),
    Invariant(
        "I2",
        "held debits equal held credits in every currency",
        "SELECT 'currency ' || a.currency,"
        " 'debits ' || sum(debits_pending) || ', credits ' || sum(credits_pending)"
        " FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id GROUP BY a.currency"
        " HAVING sum(debits_pending) <> sum(credits_pending)",
    ),
    Invariant(
        "I3",
        "every balance is the sum of its transfers",
        _FOLD,
    ),
    Invariant(
        "I4",
        "no bounded account is below zero",
        "SELECT 'account ' || a.id, 'available is below zero'"
        " FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id WHERE a.bounded AND"
        " CASE a.normal WHEN 'C' THEN credits_posted - debits_posted - debits_pending"
        " ELSE debits_posted - credits_posted - credits_pending END < 0",
    ),
    Invariant(
        "I5",
        "every hold is resolved at most once and never for more than it held",
        "SELECT 'transfer ' || p.id,"
        " 'held ' || p.amount || ', resolved ' || count(*) || ' times for ' || sum(r.amount)"
        " FROM ledger_transfer r JOIN ledger_transfer p ON p.id = r.pending_id"
        " GROUP BY p.id, p.amount, p.phase"
        " HAVING count(*) > 1 OR sum(r.amount) > p.amount OR p.phase <> 'pending'",
    ),
    Invariant(
        "I8",
        "a transfer and both its accounts have one currency",
        "SELECT 'transfer ' || t.id, d.currency || ' to ' || c.currency || ' in ' || t.currency"
        " FROM ledger_transfer t JOIN ledger_account d ON d.id = t.debit_id"
        " JOIN ledger_account c ON c.id = t.credit_id"
        " WHERE d.currency <> t.currency OR c.currency <> t.currency",
    ),
    Invariant(
        "I10",
        "every entry has a transfer and every transfer an entry",
        "SELECT 'entry ' || e.id, 'has no transfer' FROM ledger_entry e"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.entry_id = e.id)"
        " UNION ALL SELECT 'transfer ' || t.id, 'has no entry' FROM ledger_transfer t"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = t.entry_id)",
    ),
    Invariant(
        "I11",
        "no hold is open five minutes after it expired",
        "SELECT 'transfer ' || t.id, 'expired at ' || t.expires_at FROM ledger_transfer t"
        " WHERE t.phase = 'pending' AND t.expires_at < %(now)s::timestamptz - interval '5 minutes'"
        " AND NOT EXISTS (SELECT 1 FROM ledger_transfer r WHERE r.pending_id = t.id)",
    ),
    Invariant(
        "I13",
        "a closed period received nothing after it was closed",
        "SELECT 'entry ' || e.id,"
        " 'effective ' || e.effective_at || ' in a period closed at ' || p.created_at"
        " FROM ledger_entry e JOIN ledger_periodclose p"
        " ON e.effective_at <= p.closed_through AND e.created_at > p.created_at",
    ),
]


def violations() -> list[Finding]:
    """Everything that contradicts a promise of the ledger, read in one consistent snapshot;
    empty when all is well.
    """
    findings = []
    with connection.cursor() as cursor:
        for invariant in INVARIANTS:
            cursor.execute(invariant.query, {"now": now()})
            findings += [Finding(invariant.code, *row) for row in cursor.fetchall()]
    return findings
