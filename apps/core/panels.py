"""How a higher app shows itself on a lower app's page: panels, home cards, queues, timeline sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from django.db import models

from apps.core.actor import Actor
from apps.core.permissions import Permission


class Panel:
    """A card on an object's admin page. `context` answers what the template shows, or None for nothing."""

    title: ClassVar[Any] = ""
    template: ClassVar[str] = ""
    permission: ClassVar[Permission | str | None] = None

    @classmethod
    def shown_to(cls, actor: Actor) -> bool:
        """Whether the actor holds what the panel asks for, if it asks for anything."""
        return cls.permission is None or actor.allows(cls.permission)

    def context(self, obj: Any, actor: Actor) -> dict[str, Any] | None:
        return {}


PANELS: dict[str, list[tuple[int, type[Panel]]]] = defaultdict(list)


def register_panel(model_label: str, panel: type[Panel], *, order: int = 50) -> None:
    """Show `panel` on every page of `model_label`, e.g. `clients.Client`."""
    known = PANELS[model_label.lower()]
    if all(existing is not panel for _, existing in known):
        known.append((order, panel))
        known.sort(key=lambda entry: (entry[0], entry[1].__name__))


def panels_for(obj: models.Model, actor: Actor) -> list[tuple[Panel, dict[str, Any]]]:
    """The panels that this actor may see on `obj`, with what they show."""
    shown = []
    for _, kind in PANELS[obj._meta.label.lower()]:
        if not kind.shown_to(actor):
            continue
        panel = kind()
        context = panel.context(obj, actor)
        if context is not None:
            shown.append((panel, context))
    return shown


_RECEIPTS: list[Callable[[Any], str]] = []


def register_receipts(address: Callable[[Any], str]) -> None:
    """Say where the receipt of a decision opens: `address(decision_id)`."""
    _RECEIPTS[:] = [address]


def receipt_url(decision_id: Any) -> str:
    """Where the receipt opens, or nothing while no app keeps receipts."""
    return _RECEIPTS[0](decision_id) if decision_id and _RECEIPTS else ""


@dataclass(frozen=True, slots=True)
class HomeCard:
    """A card on the back-office home of those who hold `permission`. `wide` takes the whole row."""

    code: str
    title: Any
    template: str
    context: Callable[[Actor], dict[str, Any]]
    permission: Permission | str | None = None
    order: int = 50
    wide: bool = False


HOME_CARDS: dict[str, HomeCard] = {}


def register_home_card(card: HomeCard) -> None:
    HOME_CARDS[card.code] = card


def home_cards_for(actor: Actor) -> list[tuple[HomeCard, dict[str, Any]]]:
    cards = sorted(HOME_CARDS.values(), key=lambda card: (card.order, card.code))
    return [
        (card, card.context(actor))
        for card in cards
        if card.permission is None or actor.allows(card.permission)
    ]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One thing that waits for a person. `key` names it in its queue; without one its page does.

    `severity` is normal, high or critical; `owner` is for queues whose app keeps its own claims.
    """

    label: str
    url: str
    since: datetime
    sla_due: datetime | None = None
    severity: str = "normal"
    owner: str = ""
    next_action: str = ""
    key: str = ""

    @property
    def identity(self) -> str:
        """At most 64 characters that stay the same while the item waits."""
        name = self.key or self.url
        return name if len(name) <= 64 else sha256(name.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Queue:
    code: str
    label: Any
    permission: Permission | str
    rows: Callable[[Actor], Iterable[QueueRow]] = field(compare=False)


QUEUES: dict[str, Queue] = {}


def register_queue(
    code: str, label: Any, permission: Permission | str, rows: Callable[[Actor], Iterable[QueueRow]]
) -> None:
    """Add a kind of waiting work to the one inbox."""
    QUEUES[code] = Queue(code, label, permission, rows)


def queues_for(actor: Actor) -> list[tuple[Queue, list[QueueRow]]]:
    """Every queue that the actor works on, oldest first."""
    return [
        (queue, sorted(queue.rows(actor), key=lambda row: row.since))
        for queue in QUEUES.values()
        if actor.allows(queue.permission)
    ]
