"""Row locks of this app: the tree first, then partners, then money."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from apps.core.actor import Actor
from apps.core.locks import lock_row, lock_rows
from apps.ib.models import Accrual, Partner, Payout

_TREE = 0x1B
_TREE_KEY = 1


def tree_locked() -> None:
    """One change of the tree at a time: a circle is made of edges that two people add at once."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_TREE, _TREE_KEY])


def partner_locked(partner_id: UUID, *, visible_to: Actor) -> Partner:
    return lock_row(
        Partner.objects.select_related("client__entity"), partner_id, visible_to=visible_to
    )


def payout_locked(payout_id: UUID, *, visible_to: Actor) -> Payout:
    return lock_row(
        Payout.objects.select_related("partner__client"), payout_id, visible_to=visible_to
    )


def accrual_locked(accrual_id: UUID, *, visible_to: Actor) -> Accrual:
    return lock_row(
        Accrual.objects.select_related("partner__client"), accrual_id, visible_to=visible_to
    )


def accruals_of_payout_locked(payout_id: UUID) -> list[Accrual]:
    return lock_rows(Accrual.objects.filter(payout_id=payout_id))
