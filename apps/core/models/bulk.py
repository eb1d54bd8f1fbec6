"""Many rows at once, each with its history and its audit record: what `bulk_update` and `.update()` would leave out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from apps.core import clock
from apps.core.audit import audit_record
from apps.core.models.audit import AuditRecord
from apps.core.models.base import RecordedModel
from apps.core.privacy.fields import EncryptedField

if TYPE_CHECKING:
    from apps.core.actor import Actor

BATCH = 500


def bulk_save_as(
    rows: Sequence[RecordedModel], actor: Actor, reason: str, *, action: str = ""
) -> int:
    """Save rows of one model as `save_as` would save each, with three statements for every `BATCH` of them.

    Rows that did not change are left alone. Returns how many were written. Raises `TypeError` for rows of several
    models and for models with sealed fields, which are written one by one under their own keys.
    """
    if not rows:
        return 0
    model = type(rows[0])
    _require_plain(model, rows)
    now = clock.now()
    user = get_user_model()(pk=actor.user_id) if actor.user_id is not None else None
    fresh: list[Any] = []
    changed: list[Any] = []
    records = []
    for row in rows:
        created = row._state.adding
        before, after = row._changes(created=created)
        if not created and not after:
            continue
        row.updated_at = row._history_date = now  # type: ignore[attr-defined]
        row._history_user, row._change_reason = user, reason  # type: ignore[attr-defined]
        (fresh if created else changed).append(row)
        records.append(
            audit_record(
                actor=actor,
                action=action or f"{model._meta.model_name}.{'create' if created else 'change'}",
                subject=row,
                client_id=row.audit_client_id,
                before=before,
                after=after,
                reason=reason,
            )
        )
    with transaction.atomic():
        _write(model, fresh, changed)
        AuditRecord.objects.bulk_create(records, batch_size=BATCH)
    for row in (*fresh, *changed):
        row._stored = {f.attname: row._kept(f) for f in model._meta.concrete_fields}
    return len(records)


def _require_plain(model: type[RecordedModel], rows: Sequence[RecordedModel]) -> None:
    if any(type(row) is not model for row in rows):
        raise TypeError("bulk_save_as takes rows of one model")
    if any(isinstance(field, EncryptedField) for field in model._meta.concrete_fields):
        raise TypeError(f"{model.__name__} has sealed fields: save its rows one by one")


def _write(model: type[RecordedModel], fresh: list[Any], changed: list[Any]) -> None:
    names = [f.name for f in model._meta.concrete_fields if not f.primary_key]
    rows: Any = model._base_manager
    if not hasattr(model, "history"):
        rows.bulk_create(fresh, batch_size=BATCH)
        rows.bulk_update(changed, names, batch_size=BATCH)
        return
    if fresh:
        bulk_create_with_history(fresh, model, batch_size=BATCH)
    if changed:
        bulk_update_with_history(changed, model, names, batch_size=BATCH, manager=rows)
