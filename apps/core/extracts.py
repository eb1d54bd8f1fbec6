"""A part of the audit trail on paper of its own: lines that prove themselves far from the database.

The first line says what was asked for, each further line is one record with its seal, the last signs all before it
together with the head of the chain. Whoever has the file and the public key can verify it without this installation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import clock, sealing, signing
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import DomainError
from apps.core.models import AuditRecord
from apps.core.permissions import EXPORT_AUDIT
from apps.core.signing import Signature

PURPOSE = "audit-extract"
MOST = 50_000


class ExtractTooLong(DomainError):
    code = "EXTRACT_TOO_LONG"
    message = _("{found} records match, at most {most} fit into one extract; ask for less.")


@dataclass(frozen=True, slots=True)
class ExtractFilter:
    """What is asked for; an empty value asks for everything of its kind. `until` is the first moment after."""

    client_id: UUID | None = None
    subject_id: str = ""
    actor_id: str = ""
    action: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def told(self) -> dict[str, Any]:
        named = {
            "client_id": self.client_id and str(self.client_id),
            "subject_id": self.subject_id,
            "actor_id": self.actor_id,
            "action": self.action,
            "request_id": self.request_id,
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
        }
        return {name: value for name, value in named.items() if value}

    def narrow(self, records: Any) -> Any:
        exact = {
            name: getattr(self, name)
            for name in ("client_id", "subject_id", "actor_id", "action", "request_id")
            if getattr(self, name)
        }
        if self.since:
            exact["at__gte"] = self.since
        if self.until:
            exact["at__lt"] = self.until
        return records.filter(**exact)


@command
def audit_extract(*, wanted: ExtractFilter, actor: Actor, reason: str) -> str:
    """The records in the actor's scope that match, as signed lines. That it was taken is a record too.

    Raises `NotAllowed`, `ExtractTooLong`, `SigningKeyMissing`.
    """
    actor.require(EXPORT_AUDIT)
    sealing.seal_all()
    matching = wanted.narrow(AuditRecord.objects.visible_to(actor))
    ids = list(matching.order_by("id").values_list("id", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        raise ExtractTooLong(found=f"more than {MOST:,}", most=f"{MOST:,}")
    at = clock.now().isoformat()
    lines = [
        _line(
            kind=PURPOSE,
            columns={str(version): names for version, names in sealing.COLUMNS.items()},
            filter=wanted.told(),
            taken_by=actor.label,
            reason=reason,
            at=at,
        ),
        *_records(ids),
    ]
    digest = _digest(lines)
    content = signing.canonical({"at": at, "count": len(ids), "digest": digest})
    made = signing.sign(content, purpose=PURPOSE)
    audit(
        actor=actor,
        action="audit.extract",
        client_id=wanted.client_id,
        after={"filter": wanted.told(), "records": len(ids), "digest": digest},
        reason=reason,
    )
    last = _line(
        kind="signature", at=at, count=len(ids), digest=digest, key_id=made.key_id, signature=made.value
    )  # fmt: skip
    return "\n".join([*lines, last]) + "\n"


def _records(ids: list[int]) -> Iterator[str]:
    texts = " ".join(f"WHEN {v} THEN {sealing.canonical_sql(v)}" for v in sealing.COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.position, s.record_id, s.version, s.previous, s.digest, s.record_digest, "
            f"(extract(epoch FROM s.sealed_at) * 1000000)::bigint, CASE s.version {texts} END "
            "FROM core_auditseal s JOIN core_auditrecord r ON r.id = s.record_id "
            "WHERE s.record_id = ANY(%s) ORDER BY s.position",
            (ids,),
        )
        for position, record_id, version, previous, digest, own, sealed_us, text in cursor:
            yield _line(
                kind="record",
                position=position,
                record_id=record_id,
                version=version,
                previous=bytes(previous).hex(),
                digest=bytes(digest).hex(),
                record_digest=bytes(own).hex(),
                sealed_at_us=sealed_us,
                record=text,
            )


def extract_problems(text: str, *, keys: Mapping[str, bytes] | None = None) -> list[str]:
    """What is wrong with an extract; nothing when it is whole and signed by a known key. Needs no database."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        told = [json.loads(line) for line in lines]
        last = told[-1]
        if told[0]["kind"] != PURPOSE or last["kind"] != "signature":
            return ["this is no audit extract, or its first or last line is missing"]
        problems = list(_broken_records(told[1:-1]))
        if last["count"] != len(told) - 2:
            problems.append(f"{last['count']} records were signed, {len(told) - 2} are here")
        if last["digest"] != _digest(lines[:-1]):
            problems.append("the lines are not those that were signed")
        content = signing.canonical({n: last[n] for n in ("at", "count", "digest")})
        made = Signature(last["key_id"], last["signature"])
        if not signing.verify(content, made, purpose=PURPOSE, keys=keys):
            problems.append(f"the signature is not by a known key ({last['key_id']})")
    except (ValueError, KeyError, TypeError, IndexError):
        return ["this is no audit extract"]
    return problems


def _broken_records(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    for told in records:
        own = hashlib.sha256(told["record"].encode()).digest()
        link = sealing.link(
            bytes.fromhex(told["previous"]),
            told["position"],
            told["record_id"],
            told["version"],
            told["sealed_at_us"],
            own,
        )
        if own.hex() != told["record_digest"] or link.hex() != told["digest"]:
            yield f"record {told['record_id']} does not agree with its seal {told['position']}"


def _line(**told: Any) -> str:
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
