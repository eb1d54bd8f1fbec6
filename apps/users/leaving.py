"""What ends with a login, and what stays behind for somebody else: registered by the apps that know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from apps.core.actor import Actor
from apps.core.consumers import user_group
from apps.users.models import User

log = logging.getLogger(__name__)

Ending = Callable[[User, Actor, str], int]
ENDINGS: dict[str, Ending] = {}


def register_ending(code: str, end: Ending) -> None:
    """Something that must not outlive the login (sessions, tokens, delegations): `end(user, actor, reason)`
    runs in the transaction of the cut-off and answers how many it ended."""
    ENDINGS[code] = end


@dataclass(frozen=True, slots=True)
class Leftover:
    """A kind of work that waits for this person: how much, where to see it, where to hand it on."""

    label: Any
    count: int
    url: str = ""
    hand_on_url: str = ""


Leftovers = Callable[[User, Actor], Iterable[Leftover]]
LEFTOVERS: dict[str, Leftovers] = {}


def register_leftovers(code: str, lookup: Leftovers) -> None:
    """Work that stays when a person leaves, for the page where it is handed on."""
    LEFTOVERS[code] = lookup


def leftovers_of(user: User, actor: Actor) -> list[Leftover]:
    """What waits for this person, as far as the actor sees it."""
    return [item for lookup in LEFTOVERS.values() for item in lookup(user, actor) if item.count]


def close_lines(user_id: int) -> None:
    """Close every open line of this login now. A line that does not hear it asks by itself within seconds."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(user_group(user_id), {"type": "cut.off"})
    except Exception:
        log.exception("open lines could not be told to close", extra={"user_id": user_id})
