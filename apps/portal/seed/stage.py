"""What every scene needs: the time line, the staff, the prices, the outside, and one source of chance."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import Delivery, OutboxEvent
from apps.core.outbox import deliver_all
from apps.portal.seed.cast import Player
from apps.portal.seed.surroundings import Outside, Prices
from apps.portal.seed.timeline import Timeline


@dataclass
class Role:
    """A player on stage: who they became in the system."""

    player: Player
    registered_at: datetime
    rng: random.Random
    client_id: UUID | None = None
    actor: Actor | None = None
    account_id: UUID | None = None
    currency: str = "USD"
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def client(self) -> UUID:
        assert self.client_id is not None
        return self.client_id

    @property
    def account(self) -> UUID:
        assert self.account_id is not None
        return self.account_id

    @property
    def who(self) -> Actor:
        assert self.actor is not None
        return self.actor

    def key(self, what: str) -> str:
        """A request key of its own for each thing that this client asks for."""
        self.numbers[what] += 1
        return f"seed-{what}-{self.numbers[what]}-{self.client_id}"

    def marked(self, name: str) -> bool:
        return name in self.player.marks


def is_something_waiting() -> bool:
    """Whether a reaction is due, in one cheap look."""
    due = Delivery.objects.filter(state=Delivery.State.PENDING, next_at__lte=clock.now())
    return OutboxEvent.objects.filter(dispatched_at=None).exists() or due.exists()


@dataclass
class Stage:
    timeline: Timeline
    staff: dict[str, Actor]
    prices: Prices
    outside: Outside
    rng: random.Random

    def deliver(self) -> None:
        """Let everything that was caused happen, and the provider do its part."""
        if is_something_waiting():
            deliver_all()
        if self.outside.provider.has_work():
            self.outside.provider.work()
            deliver_all()

    def office_hours(self, moment: datetime) -> datetime:
        """The next moment at which staff work: weekdays from 7 to 17 UTC."""
        if moment.hour >= 17:
            moment = (moment + timedelta(days=1)).replace(hour=7, minute=moment.minute % 50)
        elif moment.hour < 7:
            moment = moment.replace(hour=7, minute=moment.minute % 50)
        while moment.weekday() > 4:
            moment += timedelta(days=1)
        return moment
