"""The chain over the audit trail: sealed behind the writers, verified from the first row to the last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from apps.core import clock

BATCH = 5_000
REACH = 20_000
GENESIS = b"\0" * 32
_LOCK = 0x5EA1

# Every column that means something, as text that does not depend on any setting of the session.
_CANONICAL = """
    concat_ws('|', r.id, extract(epoch from r.at)::numeric(20,6), r.actor_kind, r.actor_id, r.actor_label,
      r.action, r.subject_type, r.subject_id, coalesce(r.client_id::text, ''), r.before::text, r.after::text,
      r.reason, r.on_behalf_of, r.rule_versions::text,
      coalesce(r.decision_id::text, ''), coalesce(r.approval_id::text, ''), r.request_id,
      coalesce(host(r.ip), ''))
"""


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the trail does not prove itself."""

    position: int
    record_id: int
    kind: str


def seal(*, reach: int | None = REACH) -> int:
    """Chain the records that have no seal yet. Returns how many were sealed.

    Looks back over the last `reach` numbers for records that were committed late; None looks at all.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("SELECT position, digest FROM core_auditseal ORDER BY position DESC LIMIT 1")
        head = cursor.fetchone()
        position, digest = (head[0], bytes(head[1])) if head else (0, GENESIS)
        cursor.execute("SELECT coalesce(max(record_id), 0) FROM core_auditseal")
        floor = 0 if reach is None else cursor.fetchone()[0] - reach
        cursor.execute(
            f"SELECT r.id, {_CANONICAL} FROM core_auditrecord r "
            "LEFT JOIN core_auditseal s ON s.record_id = r.id "
            "WHERE s.position IS NULL AND r.id > %s ORDER BY r.id LIMIT %s",
            (floor, BATCH),
        )
        rows = []
        for record_id, text in cursor.fetchall():
            position += 1
            digest = hashlib.sha256(digest + text.encode()).digest()
            rows.append((position, record_id, digest))
        if rows:
            positions, ids, digests = (list(column) for column in zip(*rows, strict=True))
            cursor.execute(
                "INSERT INTO core_auditseal (position, record_id, digest, sealed_at) "
                "SELECT p, i, d, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS u(p, i, d)",
                (clock.now(), positions, ids, digests),
            )
        return len(rows)


def verify() -> Iterator[Break]:
    """Walk the chain. Yields every record that was changed or deleted and every seal that was moved."""
    expected_position, digest = 0, GENESIS
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.position, s.record_id, s.digest, r.id, CASE WHEN r.id IS NULL THEN '' ELSE {_CANONICAL} END "
            "FROM core_auditseal s LEFT JOIN core_auditrecord r ON r.id = s.record_id ORDER BY s.position"
        )
        while rows := cursor.fetchmany(BATCH):
            for position, record_id, stored, found, text in rows:
                expected_position += 1
                if position != expected_position:
                    yield Break(position, record_id, "SEAL_MISSING")
                    expected_position = position
                if found is None:
                    yield Break(position, record_id, "RECORD_DELETED")
                elif hashlib.sha256(digest + text.encode()).digest() != bytes(stored):
                    yield Break(position, record_id, "RECORD_CHANGED")
                digest = bytes(stored)


def sealed_and_waiting() -> tuple[int, int]:
    """How many records are sealed, and how many wait for the next round."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(s.position), count(*) - count(s.position) FROM core_auditrecord r "
            "LEFT JOIN core_auditseal s ON s.record_id = r.id"
        )
        sealed, waiting = cursor.fetchone()
        return sealed, waiting
