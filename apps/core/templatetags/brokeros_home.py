"""The back-office home: what waits for this person, and the cards of their role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django import template

from apps.core.panels import QueueRow, home_cards_for
from apps.core.work import items_for

register = template.Library()

ROWS_SHOWN = 12
ROWS_OF_ONE_QUEUE = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the inbox: a row with the queue it came from and how its time stands."""

    row: QueueRow
    queue: Any
    overdue: bool


@dataclass(frozen=True, slots=True)
class Inbox:
    lines: Sequence[Waiting]
    counts: Sequence[tuple[Any, int]]
    total: int
    overdue: int


@register.simple_tag(takes_context=True)
def home_inbox(context: template.Context) -> Inbox:
    """What waits for this person: overdue first, then severe, then oldest; no queue crowds out the others."""
    items = [item for item in items_for(context["request"].actor) if not item.rests]
    queues = {item.kind: item.queue for item in items}
    by_queue = [
        sorted(
            (
                Waiting(replace(item.row, owner=item.owner), queue, item.overdue)
                for item in items
                if item.kind == code
            ),
            key=urgency,
        )
        for code, queue in queues.items()
    ]
    heads = [line for lines in by_queue for line in lines[:ROWS_OF_ONE_QUEUE]]
    tails = [line for lines in by_queue for line in lines[ROWS_OF_ONE_QUEUE:]]
    shown = (sorted(heads, key=urgency) + sorted(tails, key=urgency))[:ROWS_SHOWN]
    every = heads + tails
    return Inbox(
        lines=sorted(shown, key=urgency),
        counts=[
            (queue.label, len(lines))
            for queue, lines in zip(queues.values(), by_queue, strict=True)
        ],
        total=len(every),
        overdue=sum(line.overdue for line in every),
    )


def urgency(line: Waiting) -> tuple[bool, bool, datetime]:
    return (not line.overdue, line.row.severity == "normal", line.row.since)


@register.simple_tag(takes_context=True)
def home_cards(context: template.Context) -> list[tuple[Any, dict[str, Any]]]:
    """The cards that this person's permissions include, each with what it shows."""
    return home_cards_for(context["request"].actor)
