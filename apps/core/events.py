"""Events: what happened, in the past tense, told upwards through the outbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import msgspec

from apps.core.context import current_request

EVENTS: dict[str, type[Event]] = {}


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of every event. `name` is `app.PastTense`; `aggregate` names the field whose events keep their order.

    Fields are identifiers and plain values; never personal data, never model instances.
    """

    name: ClassVar[str] = ""
    aggregate: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.name or not cls.aggregate:
            raise TypeError(f"{cls.__name__} declares its name and its aggregate")
        EVENTS[cls.name] = cls

    def payload(self) -> dict[str, Any]:
        """Plain JSON values; decimals, ids and times as text."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


E = TypeVar("E", bound=Event)


def event_from(name: str, payload: dict[str, Any]) -> Event:
    """The event that was stored as `payload`."""
    return msgspec.convert(payload, EVENTS[name], strict=False)


class WhenDead(StrEnum):
    """What a dead letter means for the later events of its aggregate in the same lane."""

    HOLD = "HOLD"
    """They wait until staff retry or skip it: the default, because what follows may build on it."""
    LET_PASS = "LET_PASS"  # noqa: S105
    """They go on without it: for messages to people, where a later one does not need the earlier one."""


class Undeliverable(Exception):
    """No later attempt will do better; the delivery is a dead letter at once."""

    permanent = True


@dataclass(frozen=True, slots=True)
class Handler:
    """A reaction. An atomic one takes effect exactly once; the other kind talks to the outside and is idempotent.

    Within a `lane` the events of an aggregate are handled in their order, whichever handlers they go to.
    """

    name: str
    event: str
    function: Callable[[Any], None]
    atomic: bool
    lane: str = ""
    when_dead: WhenDead = WhenDead.HOLD


HANDLERS: dict[str, Handler] = {}
BY_EVENT: dict[str, list[Handler]] = defaultdict(list)


def reacts_to(
    event: type[E], *, atomic: bool = True, lane: str = "", when_dead: WhenDead = WhenDead.HOLD
) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a reaction of a higher app, or of the same one.

    The atomic reactions of an app share a lane, so that they see an aggregate's events in the order in which
    they happened. A reaction that talks to the outside has its own, so that a silent partner holds up nothing
    else; `lane` joins some of them.
    """

    def register(function: Callable[[E], None]) -> Callable[[E], None]:
        app = function.__module__.split(".")[1]
        name = f"{app}.{function.__name__}"
        own = lane or (app if atomic else name)
        handler = Handler(name, event.name, function, atomic, own, when_dead)
        if handler.name not in HANDLERS:
            HANDLERS[handler.name] = handler
            BY_EVENT[event.name].append(handler)
            BY_EVENT[event.name].sort(key=lambda known: known.name)
        elif HANDLERS[handler.name].event != event.name:
            raise ValueError(f"two reactions are named {handler.name}")
        return function

    return register


@dataclass(frozen=True, slots=True)
class Handling:
    """Which event a reaction is being run for."""

    seq: int
    key: str


_handling: ContextVar[Handling | None] = ContextVar("event_in_hand", default=None)


@contextmanager
def handling(event: Handling) -> Iterator[None]:
    """Let the reaction know the event's own id, for what it must do once per event."""
    token = _handling.set(event)
    try:
        yield
    finally:
        _handling.reset(token)


def event_in_hand() -> Handling | None:
    """The event whose reaction runs now; None outside of one."""
    return _handling.get()


def emit(event: Event) -> None:
    """Write the event into the outbox, in the transaction of the change it tells of."""
    from django.db import connection

    from apps.core.models import OutboxEvent

    if not connection.in_atomic_block:
        raise RuntimeError("events are emitted inside a command")
    OutboxEvent.objects.create(
        name=event.name,
        aggregate=str(getattr(event, event.aggregate)),
        payload=event.payload(),
        request_id=current_request().request_id,
    )
