"""Row scope of payments: by the client they concern."""

from __future__ import annotations

from typing import Any

from apps.core.actor import Actor, ScopeLevel
from apps.core.querysets import ScopedQuerySet

from .permissions import VIEW_PAYMENTS


class ClientMoneyQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "client_id",
        "entity": "client__entity__code",
        "desk": "client__desk_id",
        "owner": "client__owner_id",
    }


class DepositPartQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "deposit__client_id",
        "entity": "deposit__client__entity__code",
        "desk": "deposit__client__desk_id",
        "owner": "deposit__client__owner_id",
    }


class CheckQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "withdrawal__client_id",
        "entity": "withdrawal__client__entity__code",
        "desk": "withdrawal__client__desk_id",
        "owner": "withdrawal__client__owner_id",
    }


class HouseQuerySet(ScopedQuerySet):
    """Providers and what they offer: for those who work with payments."""

    def visible_to(self, actor: Actor) -> Any:
        return self if actor.allows(VIEW_PAYMENTS) else self.none()


class UnsortedQuerySet(HouseQuerySet):
    """Providers' messages and money of nobody may concern any client: for those who see the whole house."""

    def visible_to(self, actor: Actor) -> Any:
        whole = actor.scope.level is ScopeLevel.ALL
        return super().visible_to(actor) if whole else self.none()
