"""People and a change to approve, for the stories of this room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from apps.core import clock
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.approvals import EFFECTS, approval_request, approves
from apps.core.approvals.people import directory, register_directory
from apps.core.commands import command
from apps.core.models import Approval, ApprovalVote, AuditRecord, Mail, OutboxEvent, VoteVoid
from apps.core.permissions import (
    DECIDE_ESCALATED,
    DELEGATE,
    EMERGENCY_EXECUTE,
    REVIEW_EMERGENCY,
    VOTE_APPROVAL,
)

VOTE, SENIOR = VOTE_APPROVAL.code, DECIDE_ESCALATED.code
EMERGENCY, REVIEW, LEND = EMERGENCY_EXECUTE.code, REVIEW_EMERGENCY.code, DELEGATE.code
ACTION = "test.pay"


def staff(
    number: int, *permissions: str, desk: int | None = None, scope: Scope | None = None
) -> Actor:
    return Actor(
        ActorKind.STAFF,
        f"user:{number}",
        f"person {number}",
        user_id=None,
        permissions=frozenset(permissions or {VOTE}),
        scope=scope or Scope(ScopeLevel.ALL, desk),
    )


MAKER, FIRST, SECOND, THIRD = staff(9001), staff(9002), staff(9003), staff(9004)


class Office:
    """A directory of these people only."""

    def __init__(self, *people: Actor) -> None:
        self.people = {person.id: person for person in people}
        self.left: set[str] = set()

    def holders(self, permissions: Any) -> list[Actor]:
        wanted = list(permissions)
        return [
            person
            for person in self.people.values()
            if person.id not in self.left and any(person.allows(code) for code in wanted)
        ]

    def find(self, actor_id: str) -> Actor | None:
        return None if actor_id in self.left else self.people[actor_id]


@contextmanager
def office(*people: Actor) -> Iterator[Office]:
    before, staffed = directory(), Office(*people)
    register_directory(staffed)
    try:
        yield staffed
    finally:
        register_directory(before)


class World:
    """What the change stands on."""

    rate = "1.10"


@contextmanager
def paying() -> Iterator[type[World]]:
    """An action that pays by writing a letter, and stands on a rate."""
    World.rate = "1.10"

    @approves(
        ACTION,
        on_reject=lambda approval, *, actor: letter("freed"),
        base=lambda approval: {"rate": World.rate},
        revise=lambda approval, payload: None,
    )
    def pay(approval: Approval, *, actor: Actor) -> None:
        letter(approval.payload["amount"])

    try:
        yield World
    finally:
        EFFECTS.pop(ACTION)


def letter(to: str) -> None:
    Mail.objects.create(to=to, subject="s", body="b")


@command
def ask(**values: Any) -> Approval:
    asked: dict[str, Any] = {
        "action": ACTION, "title": "Pay", "payload": {"amount": "100"}, "permission": VOTE_APPROVAL,
        "actor": MAKER, "reason": "due", "required": 2, "expires_in": timedelta(days=3),
    }  # fmt: skip
    return approval_request(**(asked | values))


def everything() -> tuple[Any, ...]:
    """All that a refused command must leave as it was."""
    return (
        list(Approval.objects.order_by("pk").values()),
        list(ApprovalVote.objects.order_by("pk").values()),
        list(VoteVoid.objects.order_by("pk").values()),
        AuditRecord.objects.count(),
        OutboxEvent.objects.count(),
        Mail.objects.count(),
    )


def later(**span: float) -> Any:
    return clock.frozen(clock.now() + timedelta(**span))
