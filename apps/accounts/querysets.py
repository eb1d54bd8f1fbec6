"""Row scope of trading accounts and what hangs on them."""

from __future__ import annotations

from apps.accounts.enums import LIVE_STATES, OperationState
from apps.clients.querysets import client_axes
from apps.core.querysets import ScopedQuerySet


class AccountQuerySet(ScopedQuerySet):
    scope_paths = client_axes("client__")

    def live(self) -> AccountQuerySet:
        """Those that exist on a platform and can hold money."""
        return self.filter(state__in=LIVE_STATES)


class OperationQuerySet(ScopedQuerySet):
    scope_paths = client_axes("account__client__")

    def open(self) -> OperationQuerySet:
        """Those whose outcome is still to come."""
        return self.exclude(state__in=[OperationState.DONE, OperationState.FAILED])


class CatalogueQuerySet(ScopedQuerySet):
    """Platforms, groups and account types belong to the house: whoever may see the page sees all."""

    def visible_to(self, actor):  # type: ignore[no-untyped-def]
        return self
