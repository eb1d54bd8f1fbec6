"""Who sees which orders: along the trading account to its client."""

from __future__ import annotations

from typing import ClassVar

from apps.clients.querysets import client_axes
from apps.core.querysets import ScopedQuerySet
from apps.orders.enums import LIVE_STATUSES


class AccountScopedQuerySet(ScopedQuerySet):
    """Rows of a trading account."""

    scope_paths: ClassVar[dict[str, str]] = client_axes("account__client__")


class OrderQuerySet(AccountScopedQuerySet):
    def live(self) -> OrderQuerySet:
        return self.filter(status__in=LIVE_STATUSES)


class PositionQuerySet(AccountScopedQuerySet):
    def open(self) -> PositionQuerySet:
        return self.filter(closed_at__isnull=True)


class ChildOrderQuerySet(AccountScopedQuerySet):
    def open(self) -> ChildOrderQuerySet:
        return self.filter(status__in=LIVE_STATUSES)
