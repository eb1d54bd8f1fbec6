"""The chain over the audit trail: sealed behind the writers, in the order in which records came to light."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.core import clock

BATCH = 20_000
REACH = 20_000
RECENT = 1_000
"""Of how many of the last seals the middle number tells where the trail is: no single odd number moves it."""
GIVEN_OUT = "coalesce(pg_sequence_last_value('core_auditrecord_id_seq'), 0)"
GENESIS = b"\0" * 32
VERSION = 1
_LOCK = 0x5EA1
_LOWEST = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINK = struct.Struct(">32sqqHq32s")
# One row of COPY in PostgreSQL's binary form: seven fields, each after its length. Written by hand, it costs a fifth.
_ROW = struct.Struct(">h iq iq ih i32s i32s i32s iq".replace(" ", ""))
_COPY_HEAD, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_POSTGRES_EPOCH_US = 946_684_800_000_000

# What a record says, as one JSON array whose text depends on no setting of the session and on no separator that a
# value could contain. A column that is added later joins in a version of its own; older seals keep theirs.
COLUMNS: dict[int, tuple[str, ...]] = {
    1: (
        "id", "at", "actor_kind", "actor_id", "actor_label", "on_behalf_of", "action", "subject_type",
        "subject_id", "client_id", "before", "after", "reason", "decision_id", "approval_id",
        "rule_versions", "request_id", "ip",
    ),
}  # fmt: skip
_AS_TEXT = {"at": "(extract(epoch FROM r.at) * 1000000)::bigint", "ip": "text(r.ip)"}


def canonical_sql(version: int = VERSION, *, record_id: str = "r.id") -> str:
    """The SQL for the canonical text of the record `r`."""
    columns = (_AS_TEXT.get(name, f"r.{name}") for name in COLUMNS[version] if name != "id")
    return f"json_build_array({version}, {record_id}, {', '.join(columns)})::text"


def digest_sql(version: int = VERSION, *, record_id: str = "r.id") -> str:
    """The SQL for the digest of the record `r` alone."""
    return f"sha256(convert_to({canonical_sql(version, record_id=record_id)}, 'UTF8'))"


def link(
    previous: bytes,
    position: int,
    record_id: int,
    version: int,
    sealed_at_us: int,
    record_digest: bytes,
) -> bytes:
    """The digest of one seal: everything that it says, bound to the seal before it."""
    return hashlib.sha256(
        _LINK.pack(previous, position, record_id, version, sealed_at_us, record_digest)
    ).digest()


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def seal(*, reach: int | None = REACH) -> int:
    """Chain the oldest `BATCH` records that have no seal yet. Returns how many were sealed.

    Looks back over the last `reach` numbers for records that were committed late; None looks at all, and is
    what the nightly verification does, so that nothing stays unsealed however late it came. A seal never bears
    an earlier time than the one before it, whichever machine's clock made it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            "SELECT position, digest, (extract(epoch FROM sealed_at) * 1000000)::bigint "
            "FROM core_auditseal ORDER BY position DESC LIMIT 1"
        )
        head = cursor.fetchone()
        position, digest, last_us = (head[0], bytes(head[1]), head[2]) if head else (0, GENESIS, 0)
        floor = _LOWEST if reach is None else _floor(cursor, reach)
        cursor.execute(
            f"SELECT r.id, {digest_sql()} FROM core_auditrecord r "
            "WHERE r.id > %s AND NOT EXISTS (SELECT 1 FROM core_auditseal s WHERE s.record_id = r.id) "
            "ORDER BY r.id LIMIT %s",
            (floor, BATCH),
        )
        waiting = cursor.fetchall()
        now_us = max(microseconds(clock.now()), last_us)
        rows = [_COPY_HEAD]
        for record_id, record_digest in waiting:
            position, previous = position + 1, digest
            digest = link(previous, position, record_id, VERSION, now_us, record_digest)
            rows.append(_row(position, record_id, record_digest, previous, digest, now_us))
        if waiting:
            with cursor.copy(
                "COPY core_auditseal (position, record_id, version, record_digest, previous, digest, sealed_at) "
                "FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.write(b"".join([*rows, _COPY_END]))
        return len(waiting)


def _floor(cursor: Any, reach: int) -> int:
    """The number above which a quick round looks: `reach` below where the last seals are, never above what the
    sequence has given out, so that a record with an invented number does not hide those that follow it."""
    cursor.execute(
        f"SELECT least(coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY record_id), 0), {GIVEN_OUT}) FROM "
        "(SELECT record_id FROM core_auditseal ORDER BY position DESC LIMIT %s) recent",
        (RECENT,),
    )
    return int(cursor.fetchone()[0]) - reach


def _row(
    position: int,
    record_id: int,
    record_digest: bytes,
    previous: bytes,
    digest: bytes,
    sealed_at_us: int,
) -> bytes:
    return _ROW.pack(
        7, 8, position, 8, record_id, 2, VERSION, 32, record_digest, 32, previous, 32, digest,
        8, sealed_at_us - _POSTGRES_EPOCH_US,
    )  # fmt: skip


def seal_all(*, reach: int | None = REACH) -> int:
    """Seal until nothing waits. Returns how many were sealed."""
    total = 0
    while done := seal(reach=reach):
        total += done
        if done < BATCH:
            break
    return total


def sealed_and_waiting() -> tuple[int, int]:
    """How many records are sealed, and how many wait for the next quick round.

    A record that came to light so late that no quick round reaches its number is not among them; the nightly
    verification seals it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(position), 0) FROM core_auditseal")
        sealed = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM core_auditrecord r WHERE r.id > %s "
            "AND NOT EXISTS (SELECT 1 FROM core_auditseal s WHERE s.record_id = r.id)",
            (_floor(cursor, REACH),),
        )
        return sealed, cursor.fetchone()[0]
