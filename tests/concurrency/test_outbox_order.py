"""Two relays and two workers with connections of their own, in any interleaving: each event once, and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import outbox
from apps.core.events import BY_EVENT, HANDLERS, Event, emit, reacts_to
from apps.core.models import Delivery, OutboxEvent, SentMail

pytestmark = pytest.mark.django_db(transaction=True)

fails = False


@dataclass(frozen=True, kw_only=True)
class Opened(Event):
    name = "core.Opened"
    aggregate = "thing"
    thing: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Closed(Event):
    name = "core.Closed"
    aggregate = "thing"
    thing: str
    number: int


def note(event: Opened | Closed) -> None:
    """Any row will do that a second effect would be seen in."""
    SentMail.objects.create(key=event.thing, code=str(event.number), recipient=uuid4().hex)


def open_thing(event: Opened) -> None:
    note(event)
    if fails:
        raise ConnectionError("not now")


def close_thing(event: Closed) -> None:
    note(event)
    if fails:
        raise ConnectionError("not now")


@pytest.fixture(autouse=True)
def reactions() -> Iterator[None]:
    for function, event in ((open_thing, Opened), (close_thing, Closed)):
        function.__module__ = "apps.core.reactions"
        reacts_to(event)(function)
    yield
    for name in ("core.open_thing", "core.close_thing"):
        BY_EVENT.pop(HANDLERS.pop(name).event)


@dataclass
class Process:
    """A process with its own connection, which can stop in the middle of a transaction."""

    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    open: ExitStack | None = None
    holds: str = ""

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        return self.thread.submit(function, *args).result(10)

    def begin(self, function: Callable[..., Any], *args: Any, holds: str = "") -> None:
        """Run `function` in a transaction that stays open until `commit`."""
        stack = ExitStack()
        self.run(stack.enter_context, transaction.atomic())
        self.run(function, *args)
        self.open, self.holds = stack, holds

    def commit(self) -> None:
        if self.open is not None:
            self.run(self.open.close)
        self.open, self.holds = None, ""

    def ends(self) -> None:
        self.commit()
        self.run(lambda: connection.close())
        self.thread.shutdown()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    both = [Process(), Process()]
    yield both
    for process in both:
        process.ends()


STEP = st.tuples(
    st.sampled_from(["emit", "emit", "dispatch", "deliver", "deliver", "fail", "commit"]),
    st.integers(0, 1),
    st.integers(0, 7),
    st.booleans(),
)


class House:
    def __init__(self, processes: list[Process]) -> None:
        self.processes = processes
        self.told: dict[str, list[str]] = {"a": [], "b": []}

    def step(self, what: str, who: int, choice: int, stays_open: bool) -> None:
        process, other = self.processes[who], self.processes[1 - who]
        process.commit()
        if what == "emit":
            self._emit(process, other, "ab"[choice % 2], choice, stays_open)
        elif what == "dispatch":
            (process.begin if stays_open else process.run)(outbox.dispatch)
        elif what in ("deliver", "fail"):
            due = list(Delivery.objects.filter(state="PENDING").order_by("pk"))
            if due:
                self._deliver(process, due[choice % len(due)].pk, what == "fail")

    def _emit(
        self, process: Process, other: Process, thing: str, choice: int, stays_open: bool
    ) -> None:
        """Under the aggregate's lock, as every command does."""
        if other.holds == thing:
            other.commit()
        number = str(len(self.told[thing]))
        self.told[thing].append(number)
        event = (Opened if choice % 3 else Closed)(thing=thing, number=int(number))
        process.begin(emit, event, holds=thing)
        if not stays_open:
            process.commit()

    def _deliver(self, process: Process, delivery_id: int, fail: bool) -> None:
        global fails
        fails = fail
        process.run(outbox.deliver, delivery_id)
        fails = False

    def comes_to_rest(self) -> None:
        for process in self.processes:
            process.commit()
        while outbox.dispatch():
            pass
        for _round in range(100):
            due = list(Delivery.objects.filter(state="PENDING").values_list("pk", flat=True))
            if not due:
                return
            for number, delivery_id in enumerate(due):
                self.processes[number % 2].run(outbox.deliver, delivery_id)
        raise AssertionError("something is never delivered")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEP, max_size=25))
def test_whatever_is_interleaved_each_event_takes_effect_once_and_in_its_order(processes, steps):
    Delivery.objects.all().delete()
    OutboxEvent.objects.all().delete()
    SentMail.objects.all().delete()
    house = House(processes)
    try:
        for step in steps:
            house.step(*step)
        house.comes_to_rest()
    finally:
        for process in processes:
            process.commit()
    done = {
        thing: list(
            SentMail.objects.filter(key=thing).order_by("id").values_list("code", flat=True)
        )
        for thing in house.told
    }
    assert done == house.told


def test_a_second_relay_takes_nothing_while_the_first_is_at_it():
    first = Process()
    with transaction.atomic():
        emit(Opened(thing="a", number=0))
    try:
        first.begin(outbox.dispatch)
        assert outbox.dispatch() == 0
        assert Delivery.objects.count() == 0
    finally:
        first.ends()
    assert outbox.dispatch() == 0
    assert Delivery.objects.count() == 1


def test_a_reaction_that_is_under_way_is_not_started_again_elsewhere():
    """A slow partner must not be asked by two workers because the delivery was sent twice."""
    HANDLERS["core.open_thing"] = HANDLERS["core.open_thing"].__class__(
        **{
            **_as_dict(HANDLERS["core.open_thing"]),
            "atomic": False,
            "function": lambda event: second(),
        }
    )
    answers: list[bool] = []
    other = Process()

    def second() -> None:
        answers.append(other.run(outbox.deliver, delivery_id))

    with transaction.atomic():
        emit(Opened(thing="a", number=0))
    outbox.dispatch()
    (delivery_id,) = outbox.claim_due()
    try:
        assert outbox.deliver(delivery_id) is True
    finally:
        other.ends()
    assert answers == [False]
    assert Delivery.objects.get().state == "DONE"


def _as_dict(handler: Any) -> dict[str, Any]:
    return {name: getattr(handler, name) for name in handler.__dataclass_fields__}
