"""One timeline of what happened to a client or an object: acts, versions, decisions, approvals, messages, money.

Apps add what they know by a source for each kind. Every kind costs a fixed number of queries, whatever the length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.masks import mask_for, masked, personal_fields
from apps.core.models import AuditRecord
from apps.core.panels import receipt_url
from apps.core.permissions import VIEW_APPROVAL, VIEW_AUDIT
from apps.core.reveals import permission_to_see

_SAME_ACT = timedelta(seconds=2)
_UNSHOWN = {"updated_at", "history_id", "history_date", "history_change_reason", "history_type"}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`kind` is that of its source; `url` opens the thing, its receipt or its record."""

    at: datetime
    kind: str
    title: str
    who: str = ""
    reason: str = ""
    url: str = ""
    detail: str = ""
    changes: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A page of a timeline: the newest `limit` before a moment."""

    limit: int = 50
    before: datetime | None = None

    def of(self, rows: Any, at: str) -> Any:
        if self.before is not None:
            rows = rows.filter(**{f"{at}__lt": self.before})
        return rows.order_by(f"-{at}", "-pk")[: self.limit]


Source = Callable[[models.Model, Actor, Window], Iterable[TimelineEntry]]


@dataclass(frozen=True, slots=True)
class _Kind:
    label: Any
    source: Source


KINDS: dict[str, _Kind] = {}


def register_timeline(code: str, label: Any, source: Source) -> None:
    """Add a kind of entries: `source(subject, actor, window)`.

    It answers for a client with everything of the client, for another row with what belongs to that row, and with
    nothing for what it does not know. It checks the actor's permission; the caller has checked the subject's scope.
    """
    KINDS[code] = _Kind(label, source)


def client_of(subject: models.Model) -> Any:
    """The id of the client that `subject` is; None for everything else."""
    client_id = getattr(subject, "audit_client_id", None)
    return client_id if client_id is not None and client_id == subject.pk else None


def about(subject: models.Model, *, prefix: str = "") -> Q:
    """Rows that name `subject` by its type and id, or the client that it is."""
    named = Q(subject_type=subject._meta.label, subject_id=str(subject.pk))
    client_id = client_of(subject)
    return Q(client_id=client_id) | named if client_id is not None else named


def timeline_of(
    subject: models.Model, actor: Actor, *, kind: str = "", window: Window | None = None
) -> list[TimelineEntry]:
    """A page of everything about `subject`, newest first; only one kind when `kind` names it.

    The entries that share the last one's moment come along, so that the next page starts before them.
    """
    window = window or Window()
    chosen = [KINDS[kind]] if kind in KINDS else list(KINDS.values())
    entries = [entry for each in chosen for entry in each.source(subject, actor, window)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    if kind not in KINDS:
        entries = _without_doubles(entries)
    shown = entries[: window.limit]
    return shown + [entry for entry in entries[window.limit :] if entry.at == shown[-1].at]


def _without_doubles(entries: list[TimelineEntry]) -> list[TimelineEntry]:
    """A change that an act already tells of with its reason is not told twice."""
    acts = [(entry.at, entry.reason) for entry in entries if entry.kind in ("actions", "approvals")]

    def told(entry: TimelineEntry) -> bool:
        return any(reason == entry.reason and abs(at - entry.at) < _SAME_ACT for at, reason in acts)

    return [entry for entry in entries if entry.kind != "changes" or not told(entry)]


def subject_timeline(
    subject: models.Model, actor: Actor | None = None, limit: int = 50
) -> list[TimelineEntry]:
    """The newest entries about one row, newest first."""
    return timeline_of(subject, actor or Actor.system("timeline"), window=Window(limit))


def timeline_url(subject: models.Model) -> str:
    """Where the whole timeline opens, page by page."""
    try:
        return reverse("admin:core_timeline", args=[subject._meta.label_lower, subject.pk])
    except NoReverseMatch:
        return ""


def entry_of(record: AuditRecord, actor: Actor) -> TimelineEntry:
    is_approval = record.subject_type == "core.Approval"
    changes = tuple(
        (
            name,
            _masked(actor, record.subject_type, name, record.before.get(name)),
            _masked(actor, record.subject_type, name, value),
        )
        for name, value in record.after.items()
    )
    return TimelineEntry(
        at=record.at,
        kind="approvals" if is_approval else "actions",
        title=record.action,
        who=record.actor_label + (f" → {record.on_behalf_of}" if record.on_behalf_of else ""),
        reason=record.reason,
        url=_record_url(record, actor),
        detail=", ".join(record.rule_versions),
        changes=changes,
    )


def _record_url(record: AuditRecord, actor: Actor) -> str:
    if actor.is_system or actor.allows(VIEW_AUDIT):
        return reverse("admin:core_auditrecord_change", args=[record.pk])
    return receipt_url(record.decision_id)


def _masked(actor: Actor, label: str, name: str, value: Any) -> Any:
    """A value as this actor reads the field; what the trail keeps as a digest stays one."""
    field = f"{label}.{name}"
    kind = personal_fields().get(field)
    if kind is None or (isinstance(value, str) and value.startswith("sha256:")):
        return value
    return masked(value, mask_for(actor, field), kind)


def readable(subject: models.Model, actor: Actor) -> Q:
    """Records about the row whose page is open, and about what else this actor may see a page of.

    A client's trail also tells of legal holds, checks and suspicions: whoever may not open those reads nothing of
    them here either. Readers of the trail itself read all of it.
    """
    if actor.is_system or actor.allows(VIEW_AUDIT):
        return Q()
    labels = {m._meta.label for m in apps.get_models() if actor.allows(permission_to_see(m))}
    return Q(subject_type__in=sorted(labels | {subject._meta.label}))


def _acts(subject: models.Model, actor: Actor, window: Window) -> Iterator[TimelineEntry]:
    records = AuditRecord.objects.filter(about(subject), readable(subject, actor))
    records = records.exclude(subject_type="core.Approval")
    return (entry_of(record, actor) for record in window.of(records, "at"))


def _approvals(subject: models.Model, actor: Actor, window: Window) -> Iterator[TimelineEntry]:
    """What was asked of several people about this row, and how they decided; for those who may see approvals."""
    if not (actor.is_system or actor.allows(VIEW_APPROVAL) or actor.allows(VIEW_AUDIT)):
        return iter(())
    records = AuditRecord.objects.filter(subject_type="core.Approval")
    approval_id = getattr(subject, "approval_id", None)
    client_id = client_of(subject)
    if client_id is not None:
        records = records.filter(client_id=client_id)
    elif approval_id is not None:
        records = records.filter(subject_id=str(approval_id))
    else:
        return iter(())
    return (entry_of(record, actor) for record in window.of(records, "at"))


def _changes(subject: models.Model, actor: Actor, window: Window) -> Iterator[TimelineEntry]:
    """The row's own history: each version with what differs from the one before."""
    if not hasattr(subject, "history"):
        return
    rows = subject.history.select_related("history_user")
    versions = list(replace(window, limit=window.limit + 1).of(rows, "history_date"))
    kept = {f.attname for f in subject.history.model._meta.concrete_fields} - _UNSHOWN
    fields = [f for f in subject._meta.concrete_fields if f.attname in kept]
    label = subject._meta.label
    for newer, older in zip(versions, [*versions[1:], None], strict=False):
        if older is None and len(versions) > window.limit:
            return
        changes = tuple(
            (
                f.attname,
                _masked(actor, label, f.name, getattr(older, f.attname)) if older else None,
                _masked(actor, label, f.name, getattr(newer, f.attname)),
            )
            for f in fields
            if older is None or getattr(older, f.attname) != getattr(newer, f.attname)
        )
        yield TimelineEntry(
            at=newer.history_date,
            kind="changes",
            title=str(newer.get_history_type_display()),
            who=str(newer.history_user or ""),
            reason=newer.history_change_reason or "",
            changes=changes,
        )


register_timeline("actions", _("Acts"), _acts)
register_timeline("approvals", _("Approvals"), _approvals)
register_timeline("changes", _("Versions"), _changes)
