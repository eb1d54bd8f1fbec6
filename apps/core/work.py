"""The one inbox: what waits for people in every app, whose it is, and how its time stands.

Items are found by their queues each time; a `WorkItem` only remembers owner and rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import clock, panels
from apps.core.actor import Actor
from apps.core.approvals.people import directory
from apps.core.approvals.standing import person
from apps.core.commands import command
from apps.core.errors import DomainError, InvalidInput, NotVisible
from apps.core.locks import lock_row
from apps.core.models import WorkItem
from apps.core.panels import Queue, QueueRow
from apps.core.permissions import ASSIGN_WORK, VIEW_INBOX

SEVERITIES = ("critical", "high", "normal")
SHOWN = 200


class WorkTaken(DomainError):
    code = "WORK_TAKEN"
    message = gettext_lazy("{owner} works on this. Take it over with a reason.")
    status = 409


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the inbox: the row of its queue, and what people said about it."""

    queue: Queue
    row: QueueRow
    owner_id: str
    owner: str
    rests_until: datetime | None
    rest_reason: str
    at: datetime

    @property
    def kind(self) -> str:
        return self.queue.code

    @property
    def ref(self) -> str:
        """How a form names it."""
        return f"{self.queue.code}|{self.row.identity}"

    @property
    def overdue(self) -> bool:
        return self.row.sla_due is not None and self.row.sla_due < self.at

    @property
    def severity(self) -> str:
        return self.row.severity if self.row.severity in SEVERITIES else "normal"

    @property
    def rests(self) -> bool:
        return self.rests_until is not None and self.rests_until > self.at


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items to show. `owner` is an actor's id, `nobody`, or empty for all."""

    kind: str = ""
    owner: str = ""
    severity: str = ""
    overdue: bool = False
    resting: bool = False

    def keeps(self, item: Item) -> bool:
        owner = "nobody" if not item.owner else item.owner_id
        return (
            (not self.kind or item.kind == self.kind)
            and (not self.owner or owner == self.owner)
            and (not self.severity or item.severity == self.severity)
            and (not self.overdue or item.overdue)
            and item.rests == self.resting
        )


@dataclass(frozen=True, slots=True)
class Work:
    """What one person's inbox shows, with counts over everything in their queues that does not rest."""

    items: Sequence[Item]
    kinds: Sequence[tuple[str, Any, int]]
    owners: Sequence[tuple[str, str]]
    total: int
    overdue: int
    mine: int
    matching: int


def items_for(actor: Actor, kinds: Iterable[str] = ()) -> list[Item]:
    """Everything that waits in the queues this person works on: overdue first, then severe, then oldest."""
    wanted = set(kinds)
    queues = [
        queue
        for queue in panels.QUEUES.values()
        if actor.allows(queue.permission) and (not wanted or queue.code in wanted)
    ]
    said = {
        (row.kind, row.key): row
        for row in WorkItem.objects.filter(kind__in=[queue.code for queue in queues])
    }
    at = clock.now()
    items = [
        _item(queue, row, said.get((queue.code, row.identity)), at)
        for queue in queues
        for row in queue.rows(actor)
    ]
    return sorted(items, key=_urgency)


def _item(queue: Queue, row: QueueRow, said: WorkItem | None, at: datetime) -> Item:
    return Item(
        queue=queue,
        row=row,
        owner_id=said.owner_id if said else "",
        owner=(said.owner_label if said else "") or row.owner,
        rests_until=said.snoozed_until if said else None,
        rest_reason=said.snooze_reason if said else "",
        at=at,
    )


def _urgency(item: Item) -> tuple[bool, int, datetime]:
    return (not item.overdue, SEVERITIES.index(item.severity), item.row.since)


def work_for(actor: Actor, wanted: Wanted = Wanted()) -> Work:
    """The inbox of one person, filtered."""
    everything = items_for(actor)
    awake = [item for item in everything if not item.rests]
    shown = [item for item in everything if wanted.keeps(item)]
    labels = {item.kind: item.queue.label for item in everything}
    owners = {item.owner_id: item.owner for item in awake if item.owner_id}
    return Work(
        items=shown[:SHOWN],
        kinds=[
            (kind, label, sum(item.kind == kind for item in awake))
            for kind, label in labels.items()
        ],
        owners=sorted(owners.items(), key=lambda pair: pair[1]),
        total=len(awake),
        overdue=sum(item.overdue for item in awake),
        mine=sum(item.owner_id == actor.id for item in awake),
        matching=len(shown),
    )


def colleagues(actor: Actor) -> list[Actor]:
    """Those to whom this person may give work."""
    if not actor.allows(ASSIGN_WORK):
        return []
    return directory().holders([VIEW_INBOX.code])


def _locked(actor: Actor, ref: str) -> tuple[Item, WorkItem]:
    """The item as its queue shows it to the actor, and its row, locked. Raises `NotVisible` when it is not there."""
    kind, _bar, identity = ref.partition("|")
    item = next((i for i in items_for(actor, [kind]) if i.ref == ref), None) if kind else None
    if item is None:
        raise NotVisible
    row, _made = WorkItem.objects.get_or_create(kind=kind, key=identity)
    return item, lock_row(WorkItem.objects.all(), row.pk)


@command
def work_claim(*, ref: str, actor: Actor, reason: str = "") -> WorkItem:
    """Make an item one's own; somebody else's only with a reason. Raises `NotVisible`, `WorkTaken`."""
    actor.require(VIEW_INBOX)
    _shown, row = _locked(actor, ref)
    if row.owner_id not in ("", actor.id) and not reason:
        raise WorkTaken(owner=row.owner_label)
    _give(row, actor, actor, reason or "taken", "work.claim")
    return row


@command
def work_release(*, ref: str, actor: Actor, reason: str = "") -> WorkItem:
    """Give an item back to everybody. Raises `NotVisible`, `WorkTaken` when it is somebody else's."""
    actor.require(VIEW_INBOX)
    _shown, row = _locked(actor, ref)
    if row.owner_id not in ("", actor.id):
        raise WorkTaken(owner=row.owner_label)
    row.owner_id = row.owner_label = row.given_by = ""
    row.owned_since = None
    row.save_as(actor, reason or "given back", action="work.release")
    return row


@command
def work_assign(*, refs: Sequence[str], assignee_id: str, actor: Actor, reason: str) -> int:
    """Give items to a colleague who works on their queues. All or none.

    Raises `NotAllowed`, `NotVisible`, `InvalidInput` when the colleague does not work on one of them.
    """
    actor.require(ASSIGN_WORK)
    colleague = person(assignee_id)
    if colleague is None:
        raise InvalidInput(field="assignee", problem=_("name an active colleague"))
    for ref in sorted(set(refs)):
        item, row = _locked(actor, ref)
        if not colleague.allows(item.queue.permission):
            raise InvalidInput(
                field="assignee",
                problem=_("{who} does not work on {queue}").format(
                    who=colleague.label, queue=item.queue.label
                ),
            )
        _give(row, colleague, actor, reason, "work.assign")
    return len(set(refs))


def _give(row: WorkItem, owner: Actor, by: Actor, reason: str, action: str) -> None:
    row.owner_id, row.owner_label, row.given_by = owner.id, owner.label, by.label
    row.owned_since = clock.now()
    row.save_as(by, reason, action=action)


@command
def work_snooze(*, ref: str, until: datetime, actor: Actor, reason: str) -> WorkItem:
    """Let an item rest until a moment, saying why; then it is there again. Raises `NotVisible`, `InvalidInput`."""
    actor.require(VIEW_INBOX)
    if until <= clock.now() or not reason.strip():
        raise InvalidInput(field="until", problem=_("a moment in the future, and a reason"))
    _shown, row = _locked(actor, ref)
    row.snoozed_until, row.snooze_reason = until, reason
    row.save_as(actor, reason, action="work.snooze")
    return row


@command
def work_wake(*, ref: str, actor: Actor, reason: str = "") -> WorkItem:
    """End an item's rest. Raises `NotVisible`."""
    actor.require(VIEW_INBOX)
    _shown, row = _locked(actor, ref)
    row.snoozed_until, row.snooze_reason = None, ""
    row.save_as(actor, reason or "looked at again", action="work.wake")
    return row
