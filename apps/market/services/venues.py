"""Switching venues on and off."""

from __future__ import annotations

from uuid import UUID

from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.market.enums import VenueStatus
from apps.market.events import VenueChanged
from apps.market.models import Venue
from apps.market.permissions import HALT_INSTRUMENT


@command
def venue_disable(*, venue_id: UUID, actor: Actor, reason: str) -> Venue:
    """Send no new orders there. Disabling a disabled venue changes nothing."""
    return _move(venue_id, VenueStatus.DISABLED, "disable", actor, reason)


@command
def venue_enable(*, venue_id: UUID, actor: Actor, reason: str) -> Venue:
    """Let orders go there again."""
    return _move(venue_id, VenueStatus.ENABLED, "enable", actor, reason)


def _move(venue_id: UUID, target: VenueStatus, transition: str, actor: Actor, reason: str) -> Venue:
    actor.require(HALT_INSTRUMENT)
    venue: Venue = lock_row(Venue.objects.all(), venue_id)
    if venue.status == target:
        return venue
    getattr(venue, transition)(by=actor, reason=reason)
    venue.save_as(actor, reason, action=f"venue.{transition}")
    emit(VenueChanged(venue=venue.code))
    return venue
