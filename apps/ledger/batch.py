"""Many single transfers in one round trip, for the order engine.

Works on a raw psycopg cursor inside the caller's transaction and reads no clock, so that
replaying the same commands writes the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from .errors import IdempotencyConflict, InvalidPosting

_NAMESPACE = uuid5(NAMESPACE_URL, "brokeros:ledger-entry")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One entry with one single transfer. `amount_minor` is more than zero; `at` is the
    engine's own time.
    """

    key: str
    kind: str
    debit_id: int
    credit_id: int
    currency: str
    amount_minor: int
    at: datetime
    actor: str = "system:engine"
    reason: str = ""

    @property
    def entry_id(self) -> UUID:
        return uuid5(_NAMESPACE, self.key)

    @property
    def request_hash(self) -> str:
        content = (
            f"{self.kind}|{self.debit_id}|{self.credit_id}|{self.currency}|{self.amount_minor}"
        )
        return hashlib.sha256(content.encode()).hexdigest()


_INSERT = """
WITH input AS MATERIALIZED (
  SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                       %s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[], %s::numeric[])
    WITH ORDINALITY AS t(id, key, hash, kind, actor, reason, at, debit_id, credit_id, currency,
                         amount, n)
), entries AS (
  INSERT INTO ledger_entry (id, idempotency_key, request_hash, kind, actor, reason,
                            effective_at, created_at)
  SELECT id, key, hash, kind, actor, reason, at, at FROM input ORDER BY n
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING id
)
INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, currency, amount, phase, created_at)
SELECT input.id, debit_id, credit_id, currency, amount, 'single', at
  FROM input JOIN entries USING (id) ORDER BY n
"""

_OTHER_CONTENT = """
SELECT t.key FROM unnest(%s::text[], %s::text[]) AS t(key, hash)
  JOIN ledger_entry e ON e.idempotency_key = t.key WHERE e.request_hash <> t.hash LIMIT 1
"""


def post_batch(cursor: Any, rows: Sequence[BatchRow]) -> int:
    """Post all rows, or raise and post none; returns how many were new.

    A row whose key is already in the books is skipped when its content is the same and raises
    `IdempotencyConflict` when it is not. Balances are locked in account order and moved once
    per account by the database's trigger; a bounded account is refused by its CHECK.
    """
    if not rows:
        return 0
    if any(row.amount_minor <= 0 for row in rows):
        raise InvalidPosting(problem="an amount is not more than zero")
    unique = {row.key: row for row in rows}
    hashes = {row.key: row.request_hash for row in unique.values()}
    for row in rows:
        if row.request_hash != hashes[row.key]:
            raise IdempotencyConflict(key=row.key)
    kept = list(unique.values())
    cursor.execute(
        _INSERT,
        [
            [row.entry_id for row in kept],
            [row.key for row in kept],
            [hashes[row.key] for row in kept],
            [row.kind for row in kept],
            [row.actor for row in kept],
            [row.reason for row in kept],
            [row.at for row in kept],
            [row.debit_id for row in kept],
            [row.credit_id for row in kept],
            [row.currency for row in kept],
            [row.amount_minor for row in kept],
        ],
    )
    inserted = int(cursor.rowcount)
    if inserted < len(kept):
        cursor.execute(_OTHER_CONTENT, [list(hashes), list(hashes.values())])
        found = cursor.fetchone()
        if found is not None:
            raise IdempotencyConflict(key=found[0])
    return inserted
