"""Proof of the audit trail: every record against its seal, every seal against its neighbours, every signed head."""

from __future__ import annotations

import hmac
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection

from apps.core.heads import Head
from apps.core.sealing import (
    BATCH,
    COLUMNS,
    GENESIS,
    GIVEN_OUT,
    VERSION,
    digest_sql,
    link,
    microseconds,
)

CHUNK = 20_000
LATE_AFTER = timedelta(minutes=15)
"""Longer than any transaction may take: a record that came to light later than this was written later."""
CLOCKS_APART = timedelta(minutes=1)
"""How far the clocks of two machines may differ: one signs a head, another seals what follows it."""
EXPLAINED = 40
"""How many broken rows are compared with each other to tell what was moved where."""


class Kind(StrEnum):
    RECORD_CHANGED = "RECORD_CHANGED"
    RECORD_DELETED = "RECORD_DELETED"
    RECORDS_SWAPPED = "RECORDS_SWAPPED"
    RECORD_REWRITTEN = "RECORD_REWRITTEN"
    RECORD_INSERTED = "RECORD_INSERTED"
    SEAL_CHANGED = "SEAL_CHANGED"
    SEAL_MOVED = "SEAL_MOVED"
    SEAL_BACKDATED = "SEAL_BACKDATED"
    SEAL_MISSING = "SEAL_MISSING"
    HEAD_FORGED = "HEAD_FORGED"
    HEAD_DELETED = "HEAD_DELETED"
    ROLLED_BACK = "ROLLED_BACK"
    HISTORY_REPLACED = "HISTORY_REPLACED"


EXPLANATIONS = {
    Kind.RECORD_CHANGED: "the record says something else than when it was sealed",
    Kind.RECORD_DELETED: "the record is gone, its seal still stands",
    Kind.RECORDS_SWAPPED: "the record holds what another record said",
    Kind.RECORD_REWRITTEN: "the record and its seal were both written anew; the next seal remembers another one",
    Kind.RECORD_INSERTED: "the record bears an old number, an old time or a number that was never given out, and "
    "came to light long after its neighbours",
    Kind.SEAL_CHANGED: "the seal itself was changed",
    Kind.SEAL_MOVED: "the seal stood at another place",
    Kind.SEAL_BACKDATED: "the seal bears an earlier time than the seal or the signed head before it",
    Kind.SEAL_MISSING: "seals were cut out",
    Kind.HEAD_FORGED: "the signature of the head is not by a known key",
    Kind.HEAD_DELETED: "a signed head that was kept elsewhere is gone from the database",
    Kind.ROLLED_BACK: "the trail ends before a head that was signed: its tail was cut or an old copy restored",
    Kind.HISTORY_REPLACED: "the seal at the place of a signed head is another one: the chain was written anew",
}


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the trail does not prove itself."""

    position: int
    record_id: int
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        told = EXPLANATIONS[Kind(self.kind)]
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.kind}: audit record {self.record_id}, seal {self.position}: {told}{detail}"


@dataclass(slots=True)
class _Seal:
    position: int
    record_id: int
    version: int
    previous: bytes
    digest: bytes
    record_digest: bytes
    sealed_us: int
    found: bytes | None
    """The digest of the record as it is now; None when it is gone."""
    at_us: int | None
    """When the record says that it was written; None when it is gone."""
    numbered: bool
    """Whether the record's number is one that was given out."""

    @property
    def true(self) -> bool:
        """Whether the seal agrees with itself, whatever became of its record."""
        return self.fits(self.position, self.record_id)

    def fits(self, position: int, record_id: int) -> bool:
        made = link(
            self.previous, position, record_id, self.version, self.sealed_us, self.record_digest
        )
        return hmac.compare_digest(made, self.digest)


@dataclass(slots=True)
class _Walk:
    """What the walk over the seals has met so far."""

    last: _Seal | None = None
    last_true: bool = True
    rounds_us: list[int] = field(default_factory=list)
    rounds_max: list[int] = field(default_factory=list)
    changed: list[_Seal] = field(default_factory=list)
    bent: list[_Seal] = field(default_factory=list)
    signed: list[tuple[int, int]] = field(default_factory=list)
    """Position and time of the genuine heads still ahead, the last first."""
    signed_us: int = 0
    round_size: int = 0
    settled_us: int = 0
    """The last round that left nothing waiting: what was written long before it belongs into it."""

    def step(self, seal: _Seal) -> Iterator[Break]:
        expected = self.last.position + 1 if self.last else 1
        before = self.last.digest if self.last else GENESIS
        true = seal.true
        if seal.position != expected:
            count = seal.position - expected
            yield Break(
                expected, 0, Kind.SEAL_MISSING, f"{count} of them, up to {seal.position - 1}"
            )
        elif true and self.last_true and seal.previous != before:
            culprit = self.last or seal
            yield Break(culprit.position, culprit.record_id, Kind.RECORD_REWRITTEN)
        if not true:
            self.bent.append(seal)
        elif seal.found is None:
            yield Break(seal.position, seal.record_id, Kind.RECORD_DELETED)
        elif seal.found != seal.record_digest:
            self.changed.append(seal)
        if true:
            yield from self._late(seal)
        self.last, self.last_true = seal, true

    def _late(self, seal: _Seal) -> Iterator[Break]:
        yield from self._backdated(seal)
        self._count_round(seal)
        if self._numbered_late(seal) or self._written_late(seal):
            yield Break(seal.position, seal.record_id, Kind.RECORD_INSERTED)

    def _backdated(self, seal: _Seal) -> Iterator[Break]:
        while self.signed and self.signed[-1][0] < seal.position:
            self.signed_us = max(self.signed_us, self.signed.pop()[1])
        below = self.last is not None and seal.sealed_us < self.last.sealed_us
        if below or seal.sealed_us < self.signed_us - _us(CLOCKS_APART):
            yield Break(seal.position, seal.record_id, Kind.SEAL_BACKDATED)

    def _count_round(self, seal: _Seal) -> None:
        if self.last is not None and self.last.sealed_us == seal.sealed_us:
            self.round_size += 1
            return
        if self.last is not None and self.round_size < BATCH:
            self.settled_us = max(self.settled_us, self.last.sealed_us)
        self.round_size = 1

    def _numbered_late(self, seal: _Seal) -> bool:
        if not seal.numbered:
            return True
        highest = self.rounds_max[-1] if self.rounds_max else 0
        if seal.record_id > highest:
            if self.rounds_us and self.rounds_us[-1] == seal.sealed_us:
                self.rounds_max[-1] = seal.record_id
            else:
                self.rounds_us.append(seal.sealed_us)
                self.rounds_max.append(seal.record_id)
            return False
        passed_us = self.rounds_us[bisect_right(self.rounds_max, seal.record_id)]
        return seal.sealed_us - passed_us > _us(LATE_AFTER)

    def _written_late(self, seal: _Seal) -> bool:
        """Whether rounds that left nothing waiting passed since the record says it was written, and none met it.

        While the sealer stood still nothing settles, so what waited for it is not suspected.
        """
        if settings.AUDIT_OF_A_STORY or seal.at_us is None:
            return False
        return self.settled_us - seal.at_us > _us(LATE_AFTER)


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def verify(heads: Iterable[Head] = ()) -> Iterator[Break]:
    """Walk the whole chain and hold it against the heads that were signed.

    Reads in pieces, so that a long trail holds no long statement; seals only ever grow meanwhile. Names the row that
    was touched: what cannot be told from inside (a cut tail, an old copy, a chain written anew) shows at the heads.
    """
    heads = list(heads)
    signed = (
        (h.position, microseconds(datetime.fromisoformat(h.at))) for h in heads if h.is_genuine
    )
    walk = _Walk(signed=sorted(signed, reverse=True))
    wanted = {head.position for head in heads}
    digests: dict[int, bytes] = {}
    for seal in _seals():
        if seal.position in wanted:
            digests[seal.position] = seal.digest
        yield from walk.step(seal)
    yield from _explain_records(walk.changed)
    yield from _explain_seals(walk.bent)
    end = walk.last.position if walk.last else 0
    yield from _against_heads(heads, digests, end)


def _seals() -> Iterator[_Seal]:
    versions = " ".join(f"WHEN s.version = {v} THEN {digest_sql(v)}" for v in COLUMNS)
    found = f"CASE WHEN r.id IS NULL THEN NULL {versions} END"
    last = -(2**62)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.position, s.record_id, s.version, s.previous, s.digest, s.record_digest, "
                f"(extract(epoch FROM s.sealed_at) * 1000000)::bigint, {found}, "
                "(extract(epoch FROM r.at) * 1000000)::bigint, "
                f"s.record_id BETWEEN 1 AND {GIVEN_OUT} "
                "FROM core_auditseal s LEFT JOIN core_auditrecord r ON r.id = s.record_id "
                "WHERE s.position > %s ORDER BY s.position LIMIT %s",
                (last, CHUNK),
            )
            rows = cursor.fetchall()
        if not rows:
            return
        for row in rows:
            yield _Seal(*row)
        last = rows[-1][0]


def _explain_records(changed: list[_Seal]) -> Iterator[Break]:
    """A changed record that holds exactly what another changed one said was swapped with it."""
    for seal in changed:
        other = _whose_content(seal, changed) if len(changed) <= EXPLAINED else 0
        kind = Kind.RECORDS_SWAPPED if other else Kind.RECORD_CHANGED
        detail = f"it holds what record {other} said" if other else ""
        yield Break(seal.position, seal.record_id, kind, detail)


def _whose_content(seal: _Seal, changed: list[_Seal]) -> int:
    ids = [other.record_id for other in changed if other is not seal]
    originals = {other.record_id: other.record_digest for other in changed}
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT i, {digest_sql(seal.version, record_id='i')} "
            "FROM core_auditrecord r, unnest(%s::bigint[]) i WHERE r.id = %s",
            (ids, seal.record_id),
        )
        return next((i for i, digest in cursor.fetchall() if originals[i] == bytes(digest)), 0)


def _explain_seals(bent: list[_Seal]) -> Iterator[Break]:
    """A seal that agrees with itself at another place, or over another record, was moved there."""
    for seal in bent:
        others = bent if len(bent) <= EXPLAINED else []
        place = next((o.position for o in others if seal.fits(o.position, seal.record_id)), 0)
        record = next((o.record_id for o in others if seal.fits(seal.position, o.record_id)), 0)
        if place:
            yield Break(
                seal.position, seal.record_id, Kind.SEAL_MOVED, f"it stood at place {place}"
            )
        elif record:
            yield Break(
                seal.position, seal.record_id, Kind.SEAL_MOVED, f"it was over record {record}"
            )
        else:
            yield Break(seal.position, seal.record_id, Kind.SEAL_CHANGED)


def _against_heads(heads: Iterable[Head], digests: dict[int, bytes], end: int) -> Iterator[Break]:
    for head in sorted(heads, key=lambda head: head.position):
        signed = f"signed {head.at} by {head.key_id}"
        if not head.is_genuine:
            yield Break(head.position, head.record_id, Kind.HEAD_FORGED, signed)
        elif head.position > end:
            missing = f"the trail ends at {end}, {head.position - end} seals are gone; {signed}"
            yield Break(head.position, head.record_id, Kind.ROLLED_BACK, missing)
        elif digests.get(head.position, b"").hex() != head.digest:
            yield Break(head.position, head.record_id, Kind.HISTORY_REPLACED, signed)
        elif head.kept_elsewhere and not head.in_database:
            yield Break(head.position, head.record_id, Kind.HEAD_DELETED, signed)


__all__ = ["EXPLANATIONS", "VERSION", "Break", "Kind", "verify"]
