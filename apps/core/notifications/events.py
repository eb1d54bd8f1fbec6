"""What notifications tell the parts that talk to the outside. Identifiers only."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class NotificationMailWanted(Event):
    """A person is told by e-mail too."""

    name = "core.NotificationMailWanted"
    aggregate = "user_id"

    user_id: int
    notification_id: int
