from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from apps.core.actor import ScopeLevel

from .permissions import VIEW_LEDGER

if TYPE_CHECKING:
    from apps.core.actor import Actor


def sees_books(actor: Actor) -> bool:
    """Whether the actor may look into the ledger: the permission, and no narrower scope than everything."""
    return actor.allows(VIEW_LEDGER) and actor.scope.level is ScopeLevel.ALL


class _LedgerQuerySet(models.QuerySet):
    """The books have no client or company to scope by: those see them who see the whole house."""

    def visible_to(self, actor: Actor) -> Self:
        return self if sees_books(actor) else self.none()


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
