"""The end of a data key. Whoever held a value sealed by it holds noise afterwards, in rows, history, files and dumps.

A database keeps old versions of a row until it is vacuumed, and backups keep what they were made of: the wrapped key
is unreadable there without the key of the ring, and backups older than the house's rotation of that key lose it too.
"""

from __future__ import annotations

from uuid import UUID

from apps.core import clock
from apps.core.models import DataKey
from apps.core.privacy.keys import Keep, forget


def destroy_keys(subject: UUID, keep: Keep | str) -> list[UUID]:
    """Destroy every key of the subject for this reason, retired ones too. Waits for writers; harmless when repeated."""
    rows = list(
        DataKey.objects.select_for_update()
        .filter(subject=subject, keep=str(keep), destroyed_at=None)
        .order_by("pk")
    )
    for row in rows:
        row.wrapped = b""
        row.destroyed_at = clock.now()
        row.save(update_fields=["wrapped", "destroyed_at"])
    forget()
    return [row.pk for row in rows]
