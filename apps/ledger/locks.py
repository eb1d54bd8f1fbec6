"""Ordered locks: every writer takes balances by ascending account, so writers queue and never
deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable

from .models import Balance


def balances_locked(account_ids: Iterable[int]) -> dict[int, Balance]:
    """The balances of these accounts, locked until the transaction ends.

    A command that posts several entries calls this first with all accounts that it will touch.
    """
    ids = sorted(set(account_ids))
    rows = Balance.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    return {row.account_id: row for row in rows}
