import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core import clock, dead_letters, outbox
from apps.core.actor import Actor
from apps.core.errors import DomainError, WrongState
from apps.core.events import BY_EVENT, HANDLERS, Event, emit, event_from, reacts_to
from apps.core.models import Delivery, Mail, OutboxEvent

seen: list[int] = []
fail_times = 0


@dataclass(frozen=True, kw_only=True)
class ThingHappened(Event):
    name = "core.ThingHappened"
    aggregate = "thing_id"
    thing_id: UUID
    number: int


def note(event: ThingHappened) -> None:
    global fail_times
    seen.append(event.number)
    Mail.objects.create(to=str(event.number), subject="s", body="b")
    if fail_times:
        fail_times -= 1
        raise ConnectionError("not now")


@pytest.fixture(autouse=True)
def reaction():
    global fail_times
    seen.clear()
    fail_times = 0
    note.__module__ = "apps.core.reactions"
    reacts_to(ThingHappened)(note)
    yield
    HANDLERS.pop("core.note")
    BY_EVENT.pop("core.ThingHappened")


def happened(*numbers: int, thing: UUID | None = None) -> UUID:
    thing = thing or uuid4()
    with transaction.atomic():
        for number in numbers:
            emit(ThingHappened(thing_id=thing, number=number))
    return thing


def test_an_event_survives_its_journey_as_json():
    event = ThingHappened(thing_id=uuid4(), number=7)
    assert event_from(event.name, event.payload()) == event


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_refused_command_does_not_exist():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        emit(ThingHappened(thing_id=uuid4(), number=1))
        _ = 1 / 0
    assert OutboxEvent.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_each_event_is_dispatched_and_done_once_and_in_order():
    happened(1, 2, 3)
    assert outbox.dispatch() == 3
    assert outbox.dispatch() == 0
    due = outbox.claim_due()
    assert outbox.claim_due() == []
    for delivery_id in due + due:
        outbox.deliver(delivery_id)
    assert seen == [1, 2, 3]
    assert [mail.to for mail in Mail.objects.order_by("id")] == ["1", "2", "3"]


@pytest.mark.django_db(transaction=True)
def test_a_later_event_waits_for_the_earlier_one_of_its_aggregate():
    happened(1, 2)
    outbox.dispatch()
    first, second = outbox.claim_due()
    assert outbox.deliver(second) is False
    assert seen == []
    assert outbox.deliver(first) is True
    assert outbox.deliver(second) is True
    assert seen == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_failed_reaction_leaves_nothing_and_is_tried_again():
    global fail_times
    fail_times = 1
    happened(1)
    outbox.dispatch()
    (delivery_id,) = outbox.claim_due()
    assert outbox.deliver(delivery_id) is False
    assert Mail.objects.count() == 0
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.state) == (1, "PENDING")
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert outbox.claim_due() == [delivery_id]
        assert outbox.deliver(delivery_id) is True
    assert Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_ten_failures_make_a_dead_letter_that_staff_can_retry():
    global fail_times
    fail_times = outbox.MAX_ATTEMPTS
    happened(1)
    outbox.dispatch()
    (delivery_id,) = outbox.claim_due()
    for _attempt in range(outbox.MAX_ATTEMPTS):
        outbox.deliver(delivery_id)
    assert Delivery.objects.get().state == "DEAD"
    assert Mail.objects.count() == 0
    actor = Actor.system("test")
    dead_letters.delivery_retry(delivery_id=delivery_id, actor=actor, reason="the server is back")
    assert outbox.deliver(delivery_id) is True
    assert Mail.objects.count() == 1
    with pytest.raises(WrongState):
        dead_letters.delivery_retry(delivery_id=delivery_id, actor=actor, reason="again")


@pytest.mark.django_db(transaction=True)
def test_a_delivery_that_nobody_finished_is_sent_again():
    happened(1)
    outbox.dispatch()
    sent = outbox.claim_due()
    with clock.frozen(clock.now() + outbox.RESEND_AFTER + timedelta(seconds=1)):
        assert outbox.claim_due() == sent


@pytest.mark.django_db(transaction=True)
def test_what_an_event_says_never_changes():
    happened(1)
    with pytest.raises(DatabaseError), transaction.atomic():
        OutboxEvent.objects.update(name="core.Else")
    assert OutboxEvent.objects.get().name == "core.ThingHappened"


@pytest.mark.django_db(transaction=True)
def test_many_events_are_written_with_one_statement():
    thing = uuid4()
    events = [ThingHappened(thing_id=thing, number=n) for n in range(5)]
    with transaction.atomic(), connection.cursor() as cursor:
        outbox.insert_events(cursor, events)
    outbox.deliver_all()
    assert seen == [0, 1, 2, 3, 4]


class Silent(DomainError):
    code = "SILENT"
    status = 503


@pytest.mark.django_db(transaction=True)
def test_who_does_not_answer_is_told_again_until_it_does():
    """An engine that is down for an hour must still learn of the money that arrived meanwhile."""
    silent = True

    def tell(event: ThingHappened) -> None:
        if silent:
            raise Silent
        Mail.objects.create(to=str(event.number), subject="s", body="b")

    HANDLERS["core.note"] = dataclasses.replace(HANDLERS["core.note"], function=tell)
    happened(1)
    outbox.dispatch()
    (delivery_id,) = outbox.claim_due()
    for _attempt in range(3 * outbox.MAX_ATTEMPTS):
        assert outbox.deliver(delivery_id) is False
    delivery = Delivery.objects.get()
    assert delivery.state == "PENDING"
    assert delivery.next_at - clock.now() <= timedelta(minutes=1)
    silent = False
    assert outbox.deliver(delivery_id) is True
    assert Mail.objects.count() == 1
