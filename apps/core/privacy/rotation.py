"""Changing keys while the system runs: a little at a time, each step whole, started again where it was stopped.

Wrapping anew replaces the key of the ring: give the new one first in BROKEROS_KEK, keep the old one behind it, run
`manage.py rotate_keys`, and take the old one away once nothing is wrapped by it. Values do not change, so nobody
waits. Sealing anew replaces data keys as well: new writes use the new key at once, older values follow row by row.
What may not be rewritten (append-only proofs, files) stays readable under the retired key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.db import connection, models, transaction

from apps.core import clock
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel, DataKey
from apps.core.privacy.errors import KeyDestroyed
from apps.core.privacy.fields import EncryptedField, Sealed, encrypted_fields, seal, unseal
from apps.core.privacy.keyring import keyring
from apps.core.privacy.keys import bound_to, key_for_writing, one_lookup

BATCH = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one kind of work came."""

    what: str
    done: int


def rewrap(*, batch: int = BATCH) -> Iterator[Progress]:
    """Wrap every data key by the ring's first key. Each batch is one transaction; what is done stays done."""
    current = keyring().current_id
    total = 0
    while True:
        with transaction.atomic():
            rows = list(
                DataKey.objects.select_for_update(skip_locked=True, no_key=True)
                .filter(destroyed_at=None)
                .exclude(kek=current)
                .order_by("pk")[:batch]
            )
            for row in rows:
                bound = bound_to(row.pk, row.subject, row.keep)
                secret = keyring().unwrap(row.kek, bytes(row.wrapped), bound)
                row.kek, row.wrapped = keyring().wrap(secret, bound)
                row.save(update_fields=["kek", "wrapped"])
        if not rows:
            return
        total += len(rows)
        yield Progress("data keys wrapped anew", total)


def wrapped_by() -> dict[str, int]:
    """How many living data keys each key of the ring wraps."""
    counted = (
        DataKey.objects.filter(destroyed_at=None)
        .order_by("kek")
        .values_list("kek")
        .annotate(models.Count("pk"))
    )
    return dict(counted)


def replace_data_keys(*, older_than: datetime, batch: int = BATCH) -> Iterator[Progress]:
    """Give every subject a new key for each one made before `older_than`, then seal rows anew."""
    due = DataKey.objects.filter(created_at__lt=older_than, retired_at=None, destroyed_at=None)
    total = 0
    for key_id in list(due.order_by("pk").values_list("pk", flat=True)):
        total += retire(key_id)
    yield Progress("data keys replaced", total)
    yield from reseal(batch=batch)


def retire(key_id: UUID) -> bool:
    """Let a successor take over. Waits for writers that hold the key, so each of their values is found afterwards."""
    with transaction.atomic():
        row = DataKey.objects.select_for_update().get(pk=key_id)
        if row.retired_at is not None or row.destroyed_at is not None:
            return False
        row.retired_at = clock.now()
        row.save(update_fields=["retired_at"])
        successor = new_id()
        kek, wrapped = keyring().wrap(
            AESGCM.generate_key(bit_length=256), bound_to(successor, row.subject, row.keep)
        )
        DataKey.objects.create(
            id=successor, subject=row.subject, keep=row.keep, kek=kek, wrapped=wrapped
        )
    return True


def reseal(*, batch: int = BATCH) -> Iterator[Progress]:
    """Seal under the current keys whatever lies under retired ones, table by table and batch by batch."""
    retired = {
        key.bytes: (subject, keep)
        for key, subject, keep in DataKey.objects.filter(
            retired_at__isnull=False, destroyed_at=None
        ).values_list("pk", "subject", "keep")
    }
    if not retired:
        return
    for model in sealed_models():
        fields = encrypted_fields(model)
        total = 0
        for keys in _batches(model, batch):
            total += _reseal_rows(model, fields, keys, retired)
        if total:
            yield Progress(model._meta.db_table, total)


def sealed_models() -> list[type[models.Model]]:
    """Every table with sealed columns whose rows may be rewritten, history included."""
    return [
        model
        for model in apps.get_models()
        if encrypted_fields(model) and not issubclass(model, AppendOnlyModel)
    ]


def _batches(model: type[models.Model], size: int) -> Iterator[list[Any]]:
    last: Any = None
    while True:
        rows = model._base_manager.order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        found = list(rows.values_list("pk", flat=True)[:size])
        if not found:
            return
        last = found[-1]
        yield found


def _reseal_rows(
    model: type[models.Model],
    fields: Iterable[EncryptedField],
    keys: list[Any],
    retired: dict[bytes, tuple[UUID, str]],
) -> int:
    with transaction.atomic(), one_lookup():
        rows = model._base_manager.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
        changed = 0
        for row in rows:
            fresh = {
                str(field.column): _sealed_anew(field, row, retired)
                for field in fields
                if _under_retired(row, field, retired)
            }
            if fresh:
                _write(model, row.pk, fresh)
                changed += 1
    return changed


def _under_retired(row: models.Model, field: EncryptedField, retired: Any) -> bool:
    value = row.__dict__.get(field.attname)
    return isinstance(value, Sealed) and value.key_id in retired


def _sealed_anew(field: EncryptedField, row: models.Model, retired: Any) -> bytes:
    value = row.__dict__[field.attname]
    subject, keep = retired[value.key_id]
    place = field.place(row)
    try:
        plain = unseal(value, place)
    except KeyDestroyed:
        return bytes(value)
    return bytes(seal(key_for_writing(subject, keep), plain, place))


def _write(model: type[models.Model], pk: Any, values: dict[str, bytes]) -> None:
    """Past the ORM: nothing of the row's meaning changes, so there is neither history nor audit of it."""
    quote = connection.ops.quote_name
    columns = ", ".join(f"{quote(name)} = %s" for name in values)
    pk_column = quote(str(getattr(model._meta.pk, "column", "id")))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE {pk_column} = %s",
            [*values.values(), pk],
        )
