"""The whole story, from an empty house to this morning."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model

from apps.clients.models import Client
from apps.clients.services import restriction_add
from apps.core import clock
from apps.orders.host.inline import take_in_changes
from apps.portal.seed import joining, partners
from apps.portal.seed.cast import CLIENTS, PARTNERS, Player
from apps.portal.seed.office import hire_staff, load_reference_data, publish_plans
from apps.portal.seed.stage import Role, Stage
from apps.portal.seed.surroundings import (
    Prices,
    outside_world,
    quick_commits,
    quick_passwords,
)
from apps.portal.seed.timeline import Timeline

SEED = 20
STORY_DAYS = 47
SESSIONS_KNOWN_DAYS = 12


@dataclass(frozen=True, slots=True)
class Seeded:
    """What there is now; nothing was done when `clients` is 0."""

    clients: int = 0
    steps: int = 0


def is_seeded() -> bool:
    return Client.objects.exists() or get_user_model()._default_manager.exists()


def seed_demo(
    *, end: datetime | None = None, players: tuple[Player, ...] = (*PARTNERS, *CLIENTS)
) -> Seeded:
    """Tell the story once, up to `end` (now); a database that has people already is left alone.

    The same players with the same end give the same story: chance comes from one seed.
    """
    if is_seeded():
        return Seeded()
    end = end or clock.now()
    with quick_passwords(), quick_commits():
        return _tell(end, players)


def _tell(end: datetime, players: tuple[Player, ...]) -> Seeded:
    opened = end - timedelta(days=STORY_DAYS)
    with clock.frozen(opened):
        load_reference_data()
        staff = hire_staff(opened)
        publish_plans(staff, opened)
    prices = Prices(days=STORY_DAYS + 1, seed=SEED)
    rng = random.Random(SEED)  # noqa: S311  chance of a story, not of a secret
    with outside_world(settings.HOME / "simulators") as outside:
        stage = Stage(Timeline(end), staff, prices, outside, rng)
        for player in players:
            _cast(stage, player, end)
        for days in range(0, STORY_DAYS, SESSIONS_KNOWN_DAYS):
            stage.timeline.at(opened + timedelta(days=days), _next_sessions)
        stage.timeline.run(stage.deliver)
    with clock.frozen(end):
        prices.publish(end)
    return Seeded(clients=Client.objects.count(), steps=stage.timeline.done)


def _cast(stage: Stage, player: Player, end: datetime) -> None:
    role = Role(
        player=player,
        registered_at=end - timedelta(days=player.days),
        rng=random.Random(f"{SEED}:{player.address}"),  # noqa: S311
    )
    joining.begin(stage, role)
    if partners.code_of(role):
        partners.begin(stage, role)
    if role.marked("restricted"):
        stage.timeline.at(end - timedelta(days=3), lambda: _restrict(stage, role))


def _next_sessions() -> None:
    """The engine learns the trading hours of the days ahead."""
    for shard in settings.ENGINE_SHARDS:
        take_in_changes(shard)


def _restrict(stage: Stage, role: Role) -> None:
    restriction_add(
        client_id=role.client,
        kind="no_withdrawal",
        reason="transaction monitoring asks for the source of funds",
        actor=stage.staff["compliance"],
        source="COMPLIANCE",
        lift_by="COMPLIANCE",
    )
