"""What an action does when it is agreed to, and what it stands on: registered by the app whose action it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from apps.core.models import Approval

Executor = Callable[..., None]
BaseReader = Callable[[Approval], dict[str, Any]]
RevisionCheck = Callable[[Approval, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """`own_queue` says that the app already shows these approvals in a queue of its own; `two_in_emergency` that not
    even in an emergency whoever asked for it carries it out. Without `rebases` a request whose ground moved is asked
    anew: what people read of it would no longer be true."""

    execute: Executor
    on_reject: Executor | None = None
    base: BaseReader | None = None
    revise: RevisionCheck | None = None
    own_queue: bool = False
    two_in_emergency: bool = False
    rebases: bool = True


EFFECTS: dict[str, Effect] = {}


def seen_of(approval: Approval) -> str:
    """Names what somebody looks at: a decision made on it counts only while it is the same."""
    return f"{approval.round}:{approval.payload_hash}"


def approves(
    action: str,
    *,
    on_reject: Executor | None = None,
    base: BaseReader | None = None,
    revise: RevisionCheck | None = None,
    own_queue: bool = False,
    two_in_emergency: bool = False,
    rebases: bool = True,
) -> Callable[[Executor], Executor]:
    """Register what runs, once and in the same transaction, when the last approval for `action` arrives.

    The function gets `(approval, *, actor)`; `on_reject` likewise after a rejection, an expiry or a withdrawal.
    `base(approval)` answers the values that the change stands on: they are kept with the request and read again
    before it runs. `revise(approval, payload)` refuses a payload that the maker may not change it to; without it
    nobody revises.
    """

    def register(function: Executor) -> Executor:
        EFFECTS[action] = Effect(
            function, on_reject, base, revise, own_queue, two_in_emergency, rebases
        )
        return function

    return register


def plain(values: Any) -> Any:
    """The values as JSON keeps them: decimals, ids, times, money and translated words as text."""
    return msgspec.to_builtins(values, enc_hook=str)


def payload_digest(payload: dict[str, Any]) -> str:
    """A digest of the change that does not depend on the order of its keys."""
    return hashlib.sha256(msgspec.json.encode(payload, order="deterministic")).hexdigest()


def base_changes(approval: Approval) -> list[tuple[str, Any, Any]]:
    """What the change stands on that is another now: name, then, now."""
    reader = EFFECTS[approval.action].base if approval.action in EFFECTS else None
    if reader is None or approval.base is None:
        return []
    now = plain(reader(approval))
    names = sorted(set(approval.base) | set(now))
    return [
        (name, approval.base.get(name), now.get(name))
        for name in names
        if approval.base.get(name) != now.get(name)
    ]


def diff_of(
    payload: dict[str, Any], base: dict[str, Any] | None, diff: list[Any] | None
) -> list[dict[str, Any]]:
    """Before and after per field, for people: as given, or from the payload and what it stands on."""
    if diff:
        return [
            {"field": field, "label": str(label), "before": plain(before), "after": plain(after)}
            for field, label, before, after in diff
        ]
    known = base or {}
    return [
        {"field": name, "label": name.replace("_", " "), "before": known.get(name), "after": after}
        for name, after in payload.items()
    ]
