"""Reads of risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from apps.core.actor import Actor, ScopeLevel
from apps.core.errors import NotAllowed
from apps.orders.models import Position
from apps.orders.selectors import position_list
from apps.risk.permissions import VIEW_EXPOSURE
from apps.risk.snapshot import snapshot_latest
from apps.users.selectors import actor_for


@dataclass(frozen=True)
class ExposureScope:
    """Whose exposure somebody sees; None means that of all entities."""

    entities: frozenset[str] | None


def exposure_scope(actor: Actor) -> ExposureScope:
    """Raises `NotAllowed` for whoever may not see exposure, or sees less than an entity."""
    actor.require(VIEW_EXPOSURE)
    if actor.scope.level is ScopeLevel.ALL:
        return ExposureScope(None)
    if actor.scope.level is ScopeLevel.ENTITY and actor.scope.entities:
        return ExposureScope(actor.scope.entities)
    raise NotAllowed(permission=VIEW_EXPOSURE.label)


def exposure_scope_of(user_id: int) -> ExposureScope | None:
    """The scope of a login as it is now; None when it has none (any more)."""
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    try:
        return exposure_scope(actor_for(user))
    except NotAllowed:
        return None


def exposure_now(actor: Actor) -> dict[str, Any] | None:
    """Every view within the actor's scope and the state of its sources; None when nobody computes it.

    Raises `NotAllowed`.
    """
    scope = exposure_scope(actor)
    snapshot = snapshot_latest()
    if snapshot is None:
        return None
    return {"views": snapshot.report(scope.entities), "state": snapshot.state()}


def positions_behind(symbol: str, actor: Actor) -> QuerySet[Position]:
    """The open positions that make up a symbol's exposure, the largest first."""
    actor.require(VIEW_EXPOSURE)
    return (
        position_list(actor=actor)
        .filter(symbol=symbol, closed_at__isnull=True)
        .select_related("account__client__entity")
        .order_by("-steps", "id")
    )
