"""The audit trail: one record for each action, and a chain of digests that shows any later change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core import clock
from apps.core.context import current_grounds, current_request

if TYPE_CHECKING:
    from django.db import models

    from apps.core.actor import Actor
    from apps.core.models import AuditRecord


def audit(
    *,
    actor: Actor,
    action: str,
    subject: models.Model | None = None,
    client_id: UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    decision_id: UUID | None = None,
    approval_id: UUID | None = None,
    rule_versions: Iterable[str] | None = None,
    on_behalf_of: str = "",
) -> AuditRecord:
    """Write down who did what and why, in the transaction of the change. No personal data in the values.

    The decision, the rule versions and the approval come from the command in progress when none are given.
    """
    record = audit_record(
        actor=actor,
        action=action,
        subject=subject,
        client_id=client_id,
        before=before,
        after=after,
        reason=reason,
        decision_id=decision_id,
        approval_id=approval_id,
        rule_versions=rule_versions,
        on_behalf_of=on_behalf_of,
    )
    record.save(force_insert=True)
    return record


def audit_record(
    *,
    actor: Actor,
    action: str,
    subject: models.Model | None = None,
    client_id: UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    decision_id: UUID | None = None,
    approval_id: UUID | None = None,
    rule_versions: Iterable[str] | None = None,
    on_behalf_of: str = "",
) -> AuditRecord:
    """The record without writing it, for services that write many with one statement."""
    from apps.core.models import AuditRecord

    context, basis = current_request(), current_grounds()
    known_decision, known_versions = basis.decisions.get(client_id) or (None, ())
    return AuditRecord(
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        on_behalf_of=on_behalf_of or actor.on_behalf_of,
        action=action,
        subject_type=subject._meta.label if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        client_id=client_id,
        before=before or {},
        after=after or {},
        reason=reason,
        decision_id=decision_id or known_decision,
        approval_id=approval_id or _own_approval(subject) or basis.approval_id,
        rule_versions=list(known_versions if rule_versions is None else rule_versions),
        request_id=actor.request_id or context.request_id,
        ip=(actor.ip or context.ip) or None,
    )


def _own_approval(subject: models.Model | None) -> UUID | None:
    """What is written about an approval is found with what it led to."""
    is_approval = subject is not None and subject._meta.label == "core.Approval"
    return subject.pk if is_approval and subject is not None else None
