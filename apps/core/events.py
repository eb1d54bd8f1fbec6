"""Events: what happened, in the past tense, told upwards through the outbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Handler:
    """A reaction. An atomic one takes effect exactly once; the other kind talks to the outside and is idempotent."""

    name: str
    event: str
    function: Callable[[Any], None]
    atomic: bool


HANDLERS: dict[str, Handler] = {}
BY_EVENT: dict[str, list[Handler]] = defaultdict(list)


def reacts_to(
    event: type[E], *, atomic: bool = True
) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a reaction of a higher app, or of the same one."""

    def register(function: Callable[[E], None]) -> Callable[[E], None]:
        app = function.__module__.split(".")[1]
        handler = Handler(f"{app}.{function.__name__}", event.name, function, atomic)
        if handler.name not in HANDLERS:
            HANDLERS[handler.name] = handler
            BY_EVENT[event.name].append(handler)
            BY_EVENT[event.name].sort(key=lambda known: known.name)
        elif HANDLERS[handler.name].event != event.name:
            raise ValueError(f"two reactions are named {handler.name}")
        return function

    return register


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
