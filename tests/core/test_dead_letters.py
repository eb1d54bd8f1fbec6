"""Deliveries that gave up: what waits behind them, and what staff do about them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.dead_letters import (
    dead_letters,
    deliveries_retry,
    deliveries_skip,
    delivery_skip,
    oldest_pending,
)
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import (
    BY_EVENT,
    HANDLERS,
    Event,
    Undeliverable,
    WhenDead,
    emit,
    event_in_hand,
    reacts_to,
)
from apps.core.inbox import stuck
from apps.core.models import AuditRecord, Delivery, OutboxEvent
from apps.users.models import Role, User
from apps.users.roles import load_roles
from apps.users.selectors import actor_for

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("tests")
seen: list[tuple[str, int]] = []
refuses: set[int] = set()


@dataclass(frozen=True, kw_only=True)
class Begun(Event):
    name = "core.Begun"
    aggregate = "thing"
    thing: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    name = "core.Ended"
    aggregate = "thing"
    thing: str
    number: int


def on_begun(event: Begun) -> None:
    if event.number in refuses:
        raise Undeliverable("no such address")
    assert event_in_hand() is not None
    seen.append((event.thing, event.number))


def on_ended(event: Ended) -> None:
    seen.append((event.thing, event.number))


@pytest.fixture(autouse=True)
def reactions():
    seen.clear()
    refuses.clear()
    for function, event in ((on_begun, Begun), (on_ended, Ended)):
        function.__module__ = "apps.core.reactions"
        reacts_to(event)(function)
    yield
    for name in ("core.on_begun", "core.on_ended"):
        BY_EVENT.pop(HANDLERS.pop(name).event)


def tell(*events: Event) -> None:
    with transaction.atomic():
        for event in events:
            emit(event)
    outbox.dispatch()
    for delivery_id in outbox.claim_due():
        outbox.deliver(delivery_id)


def run_due() -> None:
    for delivery_id in outbox.claim_due():
        outbox.deliver(delivery_id)


def states() -> list[str]:
    return list(Delivery.objects.order_by("event_id").values_list("state", flat=True))


def staff(role: str) -> User:
    load_roles()
    user = User.objects.create_user(f"{role}@broker.example", is_staff=True, scope_level="ALL")
    user.groups.add(Role.objects.get(name=role))
    return user


def test_a_permanent_refusal_is_a_dead_letter_at_the_first_attempt():
    refuses.add(1)
    tell(Begun(thing="a", number=1))
    dead = Delivery.objects.get()
    assert (dead.state, dead.attempts) == ("DEAD", 1)
    assert dead.last_error == "Undeliverable: no such address"


def test_what_follows_a_dead_letter_waits_and_other_subjects_do_not():
    """Across the handlers of a lane: what ended must not be told before what began."""
    refuses.add(1)
    tell(Begun(thing="a", number=1), Ended(thing="a", number=2), Ended(thing="b", number=3))
    assert states() == ["DEAD", "PENDING", "DONE"]
    waits = Delivery.objects.get(handler="core.on_ended", aggregate="a")
    assert waits.attempts == 0
    assert waits.next_at > clock.now() + outbox.WAIT_FOR_DEAD / 2


def test_a_lane_may_let_later_events_pass_a_dead_letter():
    HANDLERS["core.on_begun"] = dataclasses.replace(
        HANDLERS["core.on_begun"], when_dead=WhenDead.LET_PASS
    )
    refuses.add(1)
    tell(Begun(thing="a", number=1), Ended(thing="a", number=2))
    assert states() == ["DEAD", "DONE"]


def test_a_retried_letter_comes_before_what_waited_behind_it():
    refuses.add(1)
    tell(Begun(thing="a", number=1), Ended(thing="a", number=2))
    refuses.clear()
    assert deliveries_retry(handler="core.on_begun", actor=SYSTEM, reason="address mended") == 1
    run_due()
    assert seen == [("a", 1), ("a", 2)]
    assert states() == ["DONE", "DONE"]


def test_going_on_without_it_needs_a_reason_is_recorded_and_sets_the_rest_free():
    refuses.add(1)
    tell(Begun(thing="a", number=1), Ended(thing="a", number=2))
    dead = Delivery.objects.get(state="DEAD")
    delivery_skip(delivery_id=dead.pk, actor=SYSTEM, reason="the client left")
    run_due()
    assert seen == [("a", 2)]
    assert states() == ["SKIPPED", "DONE"]
    record = AuditRecord.objects.get(action="delivery.skip")
    assert (record.reason, record.after["handler"]) == ("the client left", "core.on_begun")
    with pytest.raises(WrongState):
        delivery_skip(delivery_id=dead.pk, actor=SYSTEM, reason="again")


def test_the_letters_of_one_handler_are_retried_together_each_with_its_own_record():
    refuses.update({1, 2, 3})
    tell(*(Begun(thing=str(n), number=n) for n in (1, 2, 3)))
    (line,) = dead_letters(SYSTEM)
    assert (line.handler, line.count) == ("core.on_begun", 3)
    refuses.discard(2)
    assert deliveries_retry(handler="core.on_begun", actor=SYSTEM, reason="try now") == 3
    run_due()
    assert states() == ["DEAD", "DONE", "DEAD"]
    assert deliveries_skip(handler="core.on_begun", actor=SYSTEM, reason="hopeless") == 2
    assert states() == ["SKIPPED", "DONE", "SKIPPED"]
    actions = AuditRecord.objects.filter(subject_type="core.Delivery").values_list(
        "action", flat=True
    )
    assert sorted(actions) == ["delivery.retry"] * 3 + ["delivery.skip"] * 2


@pytest.mark.parametrize("service", [deliveries_retry, deliveries_skip])
def test_without_the_permission_nothing_is_retried_or_skipped(service):
    refuses.add(1)
    tell(Begun(thing="a", number=1))
    with pytest.raises(NotAllowed):
        service(handler="core.on_begun", actor=actor_for(staff("support")), reason="please")
    assert states() == ["DEAD"]
    assert not AuditRecord.objects.filter(subject_type="core.Delivery").exists()


def test_waits_grow_and_are_never_quite_the_same():
    waits = [[outbox.backoff(n).total_seconds() for _ in range(30)] for n in range(1, 11)]
    for seconds, drawn in zip(outbox.BACKOFF_SECONDS, waits, strict=True):
        assert len(set(drawn)) > 1
        assert all(seconds * 0.8 <= wait <= seconds * 1.2 for wait in drawn)


def test_what_everybody_handled_is_removed_in_time_and_dead_letters_are_kept():
    refuses.update({2, 4})
    with clock.frozen(clock.now() - timedelta(days=40)):
        tell(Begun(thing="a", number=1), Begun(thing="b", number=2), Ended(thing="b", number=3))
        tell(Begun(thing="c", number=4))
        delivery_skip(
            delivery_id=Delivery.objects.get(aggregate="c").pk, actor=SYSTEM, reason="given up"
        )
    tell(Begun(thing="a", number=5))
    assert outbox.prune(limit=1) == 1
    assert outbox.prune() == 1
    assert outbox.prune() == 0
    left = [
        e["number"] for e in OutboxEvent.objects.order_by("seq").values_list("payload", flat=True)
    ]
    assert left == [2, 3, 5]
    assert states() == ["DEAD", "PENDING", "DONE"]


def test_the_inbox_says_what_is_stuck_to_those_who_can_do_something():
    refuses.add(1)
    with clock.frozen(clock.now() - timedelta(hours=1)):
        tell(Begun(thing="a", number=1), Ended(thing="a", number=2))
        with transaction.atomic():
            emit(Begun(thing="z", number=9))
    labels = [row.label for row in stuck(actor_for(staff("operations")))]
    assert labels == [
        "1 dead letter: core.on_begun",
        "Reaction falls behind: core.on_ended",
        "Events wait for the relay",
    ]
    narrow = dataclasses.replace(actor_for(User.objects.get()), scope=SYSTEM.scope.__class__())
    assert list(stuck(narrow)) == []
    assert 3500 < oldest_pending()["core.on_ended"] < 3700


def test_the_page_of_dead_letters_retries_and_skips(client):
    refuses.update({1, 2})
    tell(Begun(thing="a", number=1), Begun(thing="b", number=2))
    client.force_login(staff("operations"))
    page = reverse("admin:core_delivery_dead")
    text = client.get(page).content.decode()
    assert "core.on_begun" in text
    assert "later events wait" in text
    refused = client.post(page, {"handler": "core.on_begun", "act": "skip", "reason": ""})
    assert refused.status_code == 422
    assert states() == ["DEAD", "DEAD"]
    client.post(page, {"handler": "core.on_begun", "act": "skip", "reason": "no such clients"})
    assert states() == ["SKIPPED", "SKIPPED"]
    unknown = client.post(page, {"handler": "core.nothing", "act": "skip", "reason": "no reason"})
    assert unknown.status_code == 404


def test_the_metrics_tell_how_far_each_reaction_is_behind(client):
    refuses.add(1)
    tell(Begun(thing="a", number=1), Ended(thing="a", number=2))
    text = client.get("/metrics").content.decode()
    assert 'brokeros_deliveries{state="DEAD"} 1.0' in text
    assert 'brokeros_delivery_lag_seconds{handler="core.on_ended"}' in text
    relay = client.get("/readyz").json()["parts"]["relay"]
    assert relay["dead_letters"] == 1
    assert relay["oldest_delivery_s"] >= 0
