"""Row scope: a partner sees its own rows, staff see those of the clients in their scope."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from apps.core.actor import Actor, ActorKind, ScopeLevel
from apps.core.querysets import ScopedQuerySet
from apps.ib.enums import EARNED_STATES


def _partner_axes(prefix: str) -> dict[str, str]:
    """Every axis along the way to a partner; its owner is the manager who looks after it."""
    return {
        "partner": f"{prefix.removesuffix('__')}_id" if prefix else "id",
        "owner": f"{prefix}manager_id",
        "team": f"{prefix}manager__team_id",
        "desk": f"{prefix}client__desk_id",
        "jurisdiction": f"{prefix}client__country",
        "entity": f"{prefix}client__entity__code",
    }


class PartnerQuerySet(ScopedQuerySet):
    scope_paths = _partner_axes("")


class PartnerOwnedQuerySet(ScopedQuerySet):
    """Rows that hang on one partner by `partner`."""

    scope_paths = _partner_axes("partner__")


class DatedQuerySet(PartnerOwnedQuerySet):
    def at(self, moment: datetime) -> Self:
        """The rows in force at that instant."""
        return self.filter(valid_from__lte=moment).filter(Q(valid_to=None) | Q(valid_to__gt=moment))


class EdgeQuerySet(DatedQuerySet):
    scope_paths = _partner_axes("parent__")


class _OfClient:
    """Rows that name a partner's client: staff see them when both are within their scope."""

    def _level_condition(self, actor: Actor) -> Q | None:
        condition: Q | None = super()._level_condition(actor)  # type: ignore[misc]
        if condition is None:
            return None
        if actor.scope.entities:
            condition &= Q(client__entity__code__in=actor.scope.entities)
        if actor.scope.level is ScopeLevel.JURISDICTION:
            condition &= Q(client__country__in=actor.scope.jurisdictions)
        return condition


class AttributionQuerySet(_OfClient, DatedQuerySet):
    """Whose client somebody is."""


class AccrualQuerySet(_OfClient, PartnerOwnedQuerySet):
    def earned(self) -> Self:
        """What the partner has a right to; corrections count with their sign."""
        return self.filter(state__in=EARNED_STATES)


class PlanQuerySet(ScopedQuerySet):
    """Plans belong to the house: staff who may see the page see all. A partner sees what it is paid by."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.kind is ActorKind.PARTNER:
            return self.filter(pk__in=self._paid_by(actor))
        return self if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM) else self.none()

    def _paid_by(self, actor: Actor) -> Any:
        path = _TO_ASSIGNMENTS[self.model._meta.model_name or ""]
        return self.model._default_manager.filter(**{path: actor.partner_ids}).values("pk")


_TO_ASSIGNMENTS = {
    "plan": "assignments__partner_id__in",
    "planversion": "plan__assignments__partner_id__in",
    "planline": "version__plan__assignments__partner_id__in",
}
