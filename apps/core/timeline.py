"""One timeline of everything that happened to a client or an object, from the audit trail and what apps add to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from apps.core.actor import Actor
from apps.core.models import AuditRecord


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`kind` groups entries for filtering, e.g. `payments`; `url` opens the thing or its decision receipt."""

    at: datetime
    kind: str
    title: str
    who: str = ""
    reason: str = ""
    url: str = ""
    detail: str = ""
    changes: tuple[tuple[str, Any, Any], ...] = ()


Source = Callable[[UUID, Actor, int], Iterable[TimelineEntry]]
SOURCES: dict[str, Source] = {}


def register_timeline_source(code: str, source: Source) -> None:
    """Add entries about a client: `source(client_id, actor, limit)`."""
    SOURCES[code] = source


def client_timeline(client_id: UUID, actor: Actor, limit: int = 100) -> list[TimelineEntry]:
    """The newest `limit` entries about a client, newest first. The caller has checked that the client is visible."""
    records = AuditRecord.objects.filter(client_id=client_id).order_by("-id")[:limit]
    entries = [entry_of(record) for record in records]
    for source in SOURCES.values():
        entries.extend(source(client_id, actor, limit))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def subject_timeline(subject: models.Model, limit: int = 100) -> list[TimelineEntry]:
    """The newest `limit` entries about one row, newest first."""
    records = AuditRecord.objects.filter(
        subject_type=subject._meta.label, subject_id=str(subject.pk)
    ).order_by("-id")[:limit]
    return [entry_of(record) for record in records]


def entry_of(record: AuditRecord) -> TimelineEntry:
    changes = tuple((name, record.before.get(name), value) for name, value in record.after.items())
    return TimelineEntry(
        at=record.at,
        kind=record.subject_type.partition(".")[0] or record.action.partition(".")[0],
        title=record.action,
        who=record.actor_label,
        reason=record.reason,
        changes=changes,
    )
