"""The audit trail: one record for each action, and a chain of digests that shows any later change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core import clock
from apps.core.context import current_request

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
) -> AuditRecord:
    """Write down who did what and why, in the transaction of the change. No personal data in the values."""
    from apps.core.models import AuditRecord

    context = current_request()
    return AuditRecord.objects.create(
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        subject_type=subject._meta.label if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        client_id=client_id,
        before=before or {},
        after=after or {},
        reason=reason,
        decision_id=decision_id,
        approval_id=approval_id,
        request_id=actor.request_id or context.request_id,
        ip=(actor.ip or context.ip) or None,
    )
