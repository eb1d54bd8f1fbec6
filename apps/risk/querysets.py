"""Kill switches: all staff know those that cut through the house; the others only those in whose scope they are."""

from __future__ import annotations

from typing import Self

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from apps.accounts.models import TradingAccount
from apps.clients.models import Client, LegalEntity
from apps.core.actor import Actor, ActorKind, ScopeLevel
from apps.core.querysets import ScopedQuerySet
from apps.risk.enums import HOUSE_WIDE, SwitchLevel, SwitchState


class KillSwitchQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        if actor.kind not in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.none()
        if actor.scope.level is ScopeLevel.ALL:
            return self
        entities = LegalEntity.objects.visible_to(actor).values("code")
        return self.filter(
            Q(level__in=HOUSE_WIDE)
            | Q(level=SwitchLevel.ENTITY, target__in=entities)
            | Q(level=SwitchLevel.CLIENT, target__in=_keys(Client.objects.visible_to(actor)))
            | Q(
                level=SwitchLevel.ACCOUNT,
                target__in=_keys(TradingAccount.objects.visible_to(actor)),
            )
        )

    def in_force(self) -> Self:
        return self.exclude(state=SwitchState.REARMED)


def _keys(rows: ScopedQuerySet) -> ScopedQuerySet:
    return rows.annotate(key=Cast("pk", TextField())).values("key")  # type: ignore[return-value]
