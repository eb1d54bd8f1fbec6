"""Signed heads of the audit trail: where it ended at a moment, vouched for by a key that the database never holds.

They are kept twice: as rows, and as lines of a file outside the database. Whoever rewrites, cuts or restores the
whole database cannot make the lines agree with it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from apps.core import clock, signing
from apps.core.models import AuditHead
from apps.core.signing import Signature

log = logging.getLogger(__name__)

PURPOSE = "audit-head"
FILE = "heads.jsonl"


@dataclass(frozen=True, slots=True)
class Head:
    """One signed head. `position` is also the number of records sealed up to it."""

    position: int
    record_id: int
    digest: str
    at: str
    key_id: str
    signature: str
    kept_elsewhere: bool = False
    in_database: bool = False

    @property
    def is_genuine(self) -> bool:
        """Whether a known key signed exactly this."""
        content = head_content(self.position, self.record_id, self.digest, self.at)
        return signing.verify(content, Signature(self.key_id, self.signature), purpose=PURPOSE)

    def line(self) -> str:
        told = asdict(self)
        del told["kept_elsewhere"], told["in_database"]
        return json.dumps({"kind": PURPOSE, **told}, sort_keys=True)


def head_content(position: int, record_id: int, digest: str, at: str) -> bytes:
    """The bytes that are signed."""
    return signing.canonical(
        {"kind": PURPOSE, "position": position, "record_id": record_id, "digest": digest, "at": at}
    )


def head_sign() -> Head | None:
    """Sign where the chain ends now and keep the head in both places; None while nothing is sealed.

    A chain that has not grown keeps its last head; what the file misses is added. Raises `SigningKeyMissing`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, record_id, digest FROM core_auditseal ORDER BY position DESC LIMIT 1"
        )
        end = cursor.fetchone()
    if end is None:
        return None
    position, record_id, digest = end[0], end[1], bytes(end[2]).hex()
    last = AuditHead.objects.first()
    if last is not None and (last.position, last.digest) == (position, digest):
        transaction.on_commit(_keep_outside)
        return head_of(last)
    moment = clock.now()
    at = moment.isoformat()
    made = signing.sign(head_content(position, record_id, digest, at), purpose=PURPOSE)
    row = AuditHead.objects.create(
        position=position,
        record_id=record_id,
        digest=digest,
        at=moment,
        key_id=made.key_id,
        signature=made.value,
    )
    head = head_of(row)
    transaction.on_commit(_keep_outside)
    return head


def head_of(row: AuditHead) -> Head:
    return Head(
        row.position,
        row.record_id,
        row.digest,
        row.at.isoformat(),
        row.key_id,
        row.signature,
        in_database=True,
    )


def heads_kept(given: Iterable[Head] = ()) -> list[Head]:
    """Every head that is known: from the database, from the file outside it, and those that somebody kept.

    Two that claim the same place both count: after an old copy was restored, the newer does not excuse the older.
    """
    known = {head.line(): head for head in map(head_of, AuditHead.objects.order_by("id"))}
    for head in (*heads_outside(), *given):
        stored = known.get(head.line())
        known[head.line()] = replace(head, in_database=stored is not None and stored.in_database)
    return list(known.values())


def heads_outside() -> Iterator[Head]:
    """The heads of the file in `AUDIT_HEADS`, oldest first."""
    if settings.AUDIT_HEADS and (path := Path(settings.AUDIT_HEADS) / FILE).exists():
        yield from heads_in(path.read_text())


def heads_in(text: str) -> Iterator[Head]:
    """Read heads, one JSON object in each line. A line that is no head is a head that nobody signed."""
    for line in text.splitlines():
        if line.strip():
            yield _parsed(line)


def _parsed(line: str) -> Head:
    try:
        told: dict[str, Any] = json.loads(line)
        return Head(
            int(told["position"]),
            int(told["record_id"]),
            str(told["digest"]),
            str(told["at"]),
            str(told["key_id"]),
            str(told["signature"]),
            kept_elsewhere=True,
        )
    except (ValueError, KeyError, TypeError):
        return Head(0, 0, "", "", "", "", kept_elsewhere=True)


def _keep_outside() -> None:
    """Append every genuine head that the file lacks and make it durable. A full or missing volume is reported and
    holds nothing up: the next round adds what this one could not."""
    if not settings.AUDIT_HEADS:
        return
    try:
        folder = Path(settings.AUDIT_HEADS)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        text = path.read_text() if path.exists() else ""
        kept = set(text.splitlines())
        rows = map(head_of, AuditHead.objects.order_by("id"))
        missing = [head.line() for head in rows if head.line() not in kept and head.is_genuine]
        if not missing:
            return
        broken_off = bool(text) and not text.endswith("\n")
        with path.open("a") as file:
            file.write("\n" * broken_off + "".join(f"{line}\n" for line in missing))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        log.exception("a signed head could not be kept outside the database")
