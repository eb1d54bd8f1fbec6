"""Row scope: a partner sees its own rows, staff see those of the clients in their scope."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from apps.core.actor import Actor, ActorKind
from apps.core.querysets import ScopedQuerySet
from apps.ib.enums import EARNED_STATES


class PartnerQuerySet(ScopedQuerySet):
    scope_paths = {
        "partner": "id",
        "entity": "client__entity__code",
        "desk": "client__desk_id",
        "owner": "manager_id",
    }


class PartnerOwnedQuerySet(ScopedQuerySet):
    """Rows that hang on one partner by `partner`."""

    scope_paths = {
        "partner": "partner_id",
        "entity": "partner__client__entity__code",
        "desk": "partner__client__desk_id",
        "owner": "partner__manager_id",
    }


class DatedQuerySet(PartnerOwnedQuerySet):
    def at(self, moment: datetime) -> Self:
        """The rows in force at that instant."""
        return self.filter(valid_from__lte=moment).filter(Q(valid_to=None) | Q(valid_to__gt=moment))


class EdgeQuerySet(DatedQuerySet):
    scope_paths = {
        "partner": "parent_id",
        "entity": "parent__client__entity__code",
        "desk": "parent__client__desk_id",
        "owner": "parent__manager_id",
    }


class _OfClient:
    """Rows that name a partner's client: staff see them when both are within their scope."""

    def _entity_condition(self, actor: Actor) -> Q | None:
        condition = super()._entity_condition(actor)  # type: ignore[misc]
        if condition is None:
            return None
        return condition & Q(client__entity__code__in=actor.scope.entities)


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
