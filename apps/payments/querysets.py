"""Row scope of payments: by the client they concern."""

from __future__ import annotations

from typing import Any

from apps.clients.querysets import client_axes
from apps.core.actor import Actor, ScopeLevel
from apps.core.querysets import ScopedQuerySet

from .permissions import VIEW_PAYMENTS


class ClientMoneyQuerySet(ScopedQuerySet):
    scope_paths = client_axes("client__")


class DepositPartQuerySet(ScopedQuerySet):
    scope_paths = client_axes("deposit__client__")


class CheckQuerySet(ScopedQuerySet):
    scope_paths = client_axes("withdrawal__client__")


class HouseQuerySet(ScopedQuerySet):
    """Providers and what they offer: for those who work with payments."""

    def visible_to(self, actor: Actor) -> Any:
        return self if actor.allows(VIEW_PAYMENTS) else self.none()


class UnsortedQuerySet(HouseQuerySet):
    """Providers' messages and money of nobody may concern any client: for those who see the whole house."""

    def visible_to(self, actor: Actor) -> Any:
        whole = actor.scope.level is ScopeLevel.ALL
        return super().visible_to(actor) if whole else self.none()
