from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from .permissions import VIEW_LEDGER

if TYPE_CHECKING:
    from apps.core.actor import Actor


class _LedgerQuerySet(models.QuerySet):
    """The ledger has no client column to scope by: whoever may see the books sees all of them."""

    def visible_to(self, actor: Actor) -> Self:
        return self if actor.allows(VIEW_LEDGER) else self.none()


class AccountQuerySet(_LedgerQuerySet):
    def with_balance(self) -> Self:
        return self.select_related("balance")


class EntryQuerySet(_LedgerQuerySet):
    pass


class TransferQuerySet(_LedgerQuerySet):
    def open_holds(self) -> Self:
        """Pending transfers that nobody has posted or voided."""
        return self.filter(phase="pending", resolutions__isnull=True)

    def touching(self, account_id: int) -> Self:
        return self.filter(models.Q(debit_id=account_id) | models.Q(credit_id=account_id))
