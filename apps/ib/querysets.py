"""Row scope: a partner sees its own rows, staff see those of the clients in their scope."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db.models import Q

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


class AccrualQuerySet(PartnerOwnedQuerySet):
    def earned(self) -> Self:
        """What the partner has a right to; corrections count with their sign."""
        return self.filter(state__in=EARNED_STATES)


class PlanQuerySet(ScopedQuerySet):
    """Plans belong to the house: whoever may see the page sees all."""

    def visible_to(self, actor):  # type: ignore[no-untyped-def]
        return self
