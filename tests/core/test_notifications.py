"""Telling people inside the house: once, in their language, to nobody else."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.db import DatabaseError, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apps.core.actor import Actor
from apps.core.approvals import approves
from apps.core.errors import InvalidInput, NotVisible
from apps.core.models import Approval, Notification, OutboxEvent
from apps.core.notifications import (
    KINDS,
    Audience,
    Kind,
    notification_read,
    notifications_read_all,
    notify,
    preference_set,
    register_kind,
)
from apps.core.notifications.consumers import NotificationsConsumer
from apps.core.notifications.selectors import bell_of, choices_of
from apps.core.permissions import VOTE_APPROVAL
from apps.users.models import Role, User
from apps.users.notifications import notify_holders
from apps.users.roles import load_roles
from apps.users.selectors import actor_for

SYSTEM = Actor.system("tests")
KIND = register_kind(Kind("tests.thing", "A thing", (Audience.STAFF,)))
ALWAYS = register_kind(Kind("tests.always", "Always", (Audience.STAFF,), email=True, required=True))

pytestmark = pytest.mark.django_db


def person(name: str, **fields: object) -> User:
    return User.objects.create_user(f"{name}@broker.example", is_staff=True, **fields)


def tell(*people: User, **values: object) -> list[Notification]:
    with transaction.atomic():
        return notify(
            user_ids=[one.pk for one in people],
            **{"kind": KIND, "title": "Look", "actor": SYSTEM, **values},
        )


def numbers(user: User) -> list[int]:
    return list(Notification.objects.filter(user=user).order_by("id").values_list("seq", flat=True))


def test_each_person_has_numbers_of_their_own_without_holes():
    ann, bob = person("ann"), person("bob")
    tell(ann, bob)
    tell(ann, key="deposit-1")
    tell(ann, key="deposit-1")
    tell(ann)
    assert (numbers(ann), numbers(bob)) == ([1, 2, 3], [1])
    assert (bell_of(ann.pk).seq, bell_of(ann.pk).unread) == (3, 3)


def test_nobody_is_told_of_their_own_act_or_after_leaving():
    ann, gone = person("ann"), person("gone", is_active=False)
    assert tell(ann, gone, actor=actor_for(ann)) == []
    assert bell_of(gone.pk) is None


@pytest.mark.django_db(transaction=True)
def test_a_notification_of_a_refused_command_does_not_exist():
    ann = person("ann")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        notify(user_ids=[ann.pk], kind=KIND, title="Look", actor=SYSTEM)
        _never = 1 / 0
    assert Notification.objects.count() == 0
    with pytest.raises(RuntimeError):
        notify(user_ids=[ann.pk], kind=KIND, title="Look", actor=SYSTEM)


def test_an_unknown_kind_is_a_mistake_of_whoever_calls():
    with pytest.raises(KeyError), transaction.atomic():
        notify(user_ids=[], kind="tests.nothing", title="Look", actor=SYSTEM)


def test_each_reads_it_in_their_own_language():
    ann, eva = person("ann"), person("eva", language="de")
    with override("en"):
        tell(ann, eva, title=_("Password"))
    assert Notification.objects.get(user=ann).title == "Password"
    assert Notification.objects.get(user=eva).title == "Passwort"


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/", "//elsewhere.example", "javascript:x"]
)
def test_the_database_refuses_a_link_out_of_the_house(url):
    ann = person("ann")
    with pytest.raises(DatabaseError), transaction.atomic():
        tell(ann, url=url)
    assert Notification.objects.count() == 0


def test_nobody_reads_or_marks_what_is_another_persons_however_wide_their_scope():
    ann, boss = person("ann"), person("boss", is_superuser=True, scope_level="ALL")
    (row,) = tell(ann)
    assert not Notification.objects.visible_to(actor_for(boss)).exists()
    with pytest.raises(NotVisible):
        notification_read(notification_id=row.pk, actor=actor_for(boss))
    assert notifications_read_all(actor=actor_for(boss)) == 0
    assert Notification.objects.get().read_at is None


@pytest.mark.django_db(transaction=True)
def test_reading_all_leaves_what_came_after_the_page_was_drawn():
    ann = person("ann")
    tell(ann)
    seen = bell_of(ann.pk).seq
    tell(ann)
    assert notifications_read_all(actor=actor_for(ann), up_to=seen) == 1
    assert bell_of(ann.pk).unread == 1
    (row,) = Notification.objects.unread()
    notification_read(notification_id=row.pk, actor=actor_for(ann))
    first = Notification.objects.get(pk=row.pk).read_at
    notification_read(notification_id=row.pk, actor=actor_for(ann))
    assert Notification.objects.get(pk=row.pk).read_at == first


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("in_app", "email", "shown", "mails"),
    [(True, False, 1, 0), (True, True, 1, 1), (False, True, 0, 1), (False, False, 0, 0)],
)
def test_a_person_chooses_for_each_kind_where_they_are_told(in_app, email, shown, mails):
    ann = person("ann")
    preference_set(kind=KIND.code, in_app=in_app, email=email, actor=actor_for(ann))
    tell(ann)
    assert bell_of(ann.pk).unread == shown
    assert OutboxEvent.objects.filter(name="core.NotificationMailWanted").count() == mails


@pytest.mark.django_db(transaction=True)
def test_what_must_be_told_cannot_be_switched_off():
    ann = person("ann")
    with pytest.raises(InvalidInput):
        preference_set(kind=ALWAYS.code, in_app=False, email=False, actor=actor_for(ann))
    tell(ann, kind=ALWAYS)
    assert bell_of(ann.pk).unread == 1
    assert OutboxEvent.objects.filter(name="core.NotificationMailWanted").count() == 1


def test_the_page_of_choices_lists_the_kinds_of_its_reader():
    ann = person("ann")
    codes = {choice.kind.code for choice in choices_of(actor_for(ann))}
    assert codes == {kind.code for kind in KINDS.values() if Audience.STAFF in kind.audiences}


def test_only_holders_who_see_the_row_are_told():
    load_roles()
    approves("tests.act")(lambda approval, *, actor: None)
    finance, dealing = Role.objects.get(name="finance"), Role.objects.get(name="dealing")
    here = person("here", scope_level="ENTITY", entities=["BOS-EU"])
    there = person("there", scope_level="ENTITY", entities=["BOS-INT"])
    lacks = person("lacks", scope_level="ALL")
    maker = person("maker", scope_level="ENTITY", entities=["BOS-EU"])
    for one in (here, there, maker):
        one.groups.add(finance)
    lacks.user_permissions.clear()
    assert not actor_for(lacks).allows(VOTE_APPROVAL), dealing
    row = Approval(
        action="tests.act", title="x", entity="BOS-EU", payload={}, payload_hash="", maker_id="m",
        maker_label="m", required=1, permission=VOTE_APPROVAL.code, expires_at="2030-01-01T00:00Z",
    )  # fmt: skip
    row.save_as(SYSTEM, "asked")
    with transaction.atomic():
        told = notify_holders(
            VOTE_APPROVAL,
            kind=KIND,
            title="x",
            actor=SYSTEM,
            subject=row,
            exclude=frozenset({maker.pk}),
        )
        by_entity = notify_holders(
            VOTE_APPROVAL, kind=KIND, title="x", actor=SYSTEM, entity="BOS-INT"
        )
    assert [one.user_id for one in told] == [here.pk]
    assert [one.user_id for one in by_entity] == [there.pk]


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_for_its_owner_alone_and_says_the_number():
    ann, bob = person("ann"), person("bob")

    async def listen(user: User) -> WebsocketCommunicator:
        socket = WebsocketCommunicator(NotificationsConsumer.as_asgi(), "/ws/notifications/")
        socket.scope["user"] = user
        connected, _code = await socket.connect()
        assert connected
        return socket

    async def story() -> None:
        from channels.db import database_sync_to_async

        anns, bobs = await listen(ann), await listen(bob)
        nothing = {"type": "bell", "seq": 0, "unread": 0}
        assert await anns.receive_json_from() == nothing
        assert await bobs.receive_json_from() == nothing
        await database_sync_to_async(tell)(ann)
        assert await anns.receive_json_from() == {"type": "bell", "seq": 1, "unread": 1}
        assert await bobs.receive_nothing(0.05)
        await database_sync_to_async(notifications_read_all)(actor=actor_for_ann)
        assert await anns.receive_json_from() == {"type": "bell", "seq": 1, "unread": 0}
        await anns.disconnect()
        await bobs.disconnect()

    actor_for_ann = actor_for(ann)
    async_to_sync(story)()


@pytest.mark.django_db(transaction=True)
def test_a_lost_hint_never_hurts_the_command(settings):
    from channels.layers import channel_layers

    ann = person("ann")
    kept = settings.CHANNEL_LAYERS
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
        }
    }
    channel_layers.backends.clear()
    try:
        tell(ann)
    finally:
        settings.CHANNEL_LAYERS = kept
        channel_layers.backends.clear()
    assert bell_of(ann.pk).unread == 1


@pytest.mark.django_db(transaction=True)
def test_who_may_decide_is_told_and_the_maker_hears_the_answer():
    from apps.core.approvals import approval_request, approval_vote
    from apps.core.outbox import deliver_all

    load_roles()
    approves("tests.told")(lambda approval, *, actor: None)
    maker, checker = person("maker", scope_level="ALL"), person("checker", scope_level="ALL")
    stranger = person("stranger", scope_level="ALL")
    for one in (maker, checker):
        one.groups.add(Role.objects.get(name="compliance"))
    maker, checker = (User.objects.get(pk=one.pk) for one in (maker, checker))
    with transaction.atomic():
        asked = approval_request(
            action="tests.told", title="Limit 7", payload={"x": 1}, permission=VOTE_APPROVAL,
            actor=actor_for(maker), reason="needed",
        )  # fmt: skip
    deliver_all()
    told = {row.user_id: row.title for row in Notification.objects.all()}
    assert told == {checker.pk: "An approval waits for you: Limit 7"}
    approval_vote(approval_id=asked.pk, actor=actor_for(checker), verdict="APPROVE", reason="fine")
    deliver_all()
    (answer,) = Notification.objects.filter(user=maker)
    assert (answer.title, answer.kind) == ("Approved: Limit 7", "approval.decided")
    assert not Notification.objects.filter(user=stranger).exists()
