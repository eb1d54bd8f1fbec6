"""The one inbox: what waits in every app, whose it is, what may rest, and who may be given it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission as PermissionRow
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import clock
from apps.core.actor import Actor, ScopeLevel
from apps.core.errors import DomainError, InvalidInput, NotAllowed, NotVisible
from apps.core.models import AuditRecord, WorkItem
from apps.core.panels import QUEUES, QueueRow, register_queue
from apps.core.permissions import ASSIGN_WORK, VIEW_INBOX, VOTE_APPROVAL
from apps.core.work import (
    Wanted,
    WorkTaken,
    items_for,
    work_assign,
    work_claim,
    work_for,
    work_release,
    work_snooze,
    work_wake,
)
from apps.users.models import User
from apps.users.roles import sync_permissions
from tests.core.approving import ACTION, MAKER, ask, later, office, paying, staff

pytestmark = pytest.mark.django_db
INBOX, GIVE = VIEW_INBOX.code, ASSIGN_WORK.code
ANA, BEN, CHIEF = (staff(1, INBOX), staff(2, INBOX), staff(3, INBOX, GIVE))
STRANGER = staff(4, VOTE_APPROVAL.code)


@pytest.fixture(autouse=True)
def queue():
    at = clock.now()

    def rows(actor: Actor) -> list[QueueRow]:
        return [
            QueueRow("old", "/old/", at - timedelta(days=2), key="old"),
            QueueRow(
                "late", "/late/", at - timedelta(hours=2), at - timedelta(hours=1), key="late"
            ),
            QueueRow("bad", "/" + "b" * 90, at, severity="critical"),
        ]

    kept = dict(QUEUES)
    QUEUES.clear()
    register_queue("test.things", "Things", VIEW_INBOX, rows)
    with office(ANA, BEN, CHIEF, STRANGER):
        yield
    QUEUES.clear()
    QUEUES.update(kept)


def ref(key: str) -> str:
    return f"test.things|{key}"


def refused(error: type[DomainError], act: object) -> None:
    before = (list(WorkItem.objects.values()), AuditRecord.objects.count())
    with pytest.raises(error):
        act()
    assert (list(WorkItem.objects.values()), AuditRecord.objects.count()) == before


def labels(actor: Actor, **wanted: object) -> list[str]:
    return [item.row.label for item in work_for(actor, Wanted(**wanted)).items]


def test_what_is_late_comes_first_then_what_is_severe_then_what_is_old():
    assert labels(ANA) == ["late", "bad", "old"]
    assert labels(STRANGER) == []


def test_taking_makes_it_mine_and_the_others_see_it():
    work_claim(ref=ref("old"), actor=ANA)
    assert labels(BEN, owner=ANA.id) == ["old"]
    assert work_for(ANA).mine == 1
    refused(WorkTaken, lambda: work_claim(ref=ref("old"), actor=BEN))
    refused(WorkTaken, lambda: work_release(ref=ref("old"), actor=BEN))
    work_claim(ref=ref("old"), actor=BEN, reason="she went home")
    assert WorkItem.objects.get().owner_id == BEN.id
    work_release(ref=ref("old"), actor=BEN)
    assert labels(BEN, owner="nobody") == ["late", "bad", "old"]


def test_a_long_address_is_a_key_too():
    item = next(i for i in items_for(ANA) if i.row.label == "bad")
    assert len(item.row.identity) == 64
    work_claim(ref=item.ref, actor=ANA)
    assert labels(ANA, owner=ANA.id) == ["bad"]


def test_what_is_not_in_ones_queues_cannot_be_touched():
    refused(NotAllowed, lambda: work_claim(ref=ref("old"), actor=STRANGER))
    refused(NotVisible, lambda: work_claim(ref=ref("gone"), actor=ANA))
    refused(NotVisible, lambda: work_claim(ref="no.queue|old", actor=ANA))
    refused(NotVisible, lambda: work_claim(ref="", actor=ANA))


def test_many_are_given_to_a_colleague_who_works_on_them_all_or_none():
    both = [ref("old"), ref("late")]
    assert work_assign(refs=both, assignee_id=BEN.id, actor=CHIEF, reason="your desk") == 2
    assert set(labels(CHIEF, owner=BEN.id)) == {"old", "late"}
    refused(
        NotAllowed, lambda: work_assign(refs=both, assignee_id=BEN.id, actor=ANA, reason="yours")
    )
    refused(
        InvalidInput,
        lambda: work_assign(refs=both, assignee_id=STRANGER.id, actor=CHIEF, reason="yours"),
    )
    refused(
        NotVisible,
        lambda: work_assign(refs=[*both, ref("gone")], assignee_id=ANA.id, actor=CHIEF, reason="x"),
    )
    assert set(WorkItem.objects.values_list("owner_id", flat=True)) == {BEN.id}


def test_what_rests_comes_back_by_itself():
    until = clock.now() + timedelta(hours=4)
    work_snooze(ref=ref("old"), until=until, actor=ANA, reason="the bank answers tomorrow")
    assert labels(BEN) == ["late", "bad"]
    assert labels(BEN, resting=True) == ["old"]
    assert work_for(BEN).total == 2
    with later(hours=5):
        assert set(labels(BEN)) == {"late", "bad", "old"}
    work_wake(ref=ref("old"), actor=BEN)
    assert work_for(BEN).total == 3


def test_nothing_rests_without_a_reason_or_into_the_past():
    soon = clock.now() + timedelta(hours=1)
    refused(InvalidInput, lambda: work_snooze(ref=ref("old"), until=soon, actor=ANA, reason=" "))
    refused(
        InvalidInput,
        lambda: work_snooze(ref=ref("old"), until=clock.now(), actor=ANA, reason="later"),
    )
    with pytest.raises(IntegrityError, match="work_rest_has_reason"), transaction.atomic():
        WorkItem.objects.create(kind="a", key="b", snoozed_until=soon)


def test_approvals_wait_for_those_who_may_decide_and_questions_for_who_asked():
    from apps.core.approvals import approval_return
    from apps.core.approvals.queues import _asked_of_me, _to_decide

    voter = staff(9002, VOTE_APPROVAL.code)
    with paying(), office(MAKER, voter):
        approval = ask(required=1)
        assert [row.key for row in _to_decide(voter)] == [str(approval.pk)]
        assert list(_to_decide(MAKER)) == list(_asked_of_me(MAKER)) == []
        approval_return(approval_id=approval.pk, actor=voter, reason="which invoice?")
        assert list(_to_decide(voter)) == []
        assert [row.next_action for row in _asked_of_me(MAKER)] == ["which invoice?"]
    assert ACTION


def browser(*codes: str) -> tuple[Client, User]:
    sync_permissions()
    user = User.objects.create_user(
        f"staff{User.objects.count()}@example.com", "a-long-password", is_staff=True,
        scope_level=ScopeLevel.ALL,
    )  # fmt: skip
    for code in codes:
        app, _, name = code.partition(".")
        user.user_permissions.add(
            PermissionRow.objects.get(content_type__app_label=app, codename=name)
        )
    client = Client()
    client.force_login(user)
    return client, user


def test_the_page_filters_acts_and_asks_as_much_however_much_waits():
    client, user = browser(INBOX, GIVE)
    page = reverse("admin-inbox")
    with CaptureQueriesContext(
        connection,
    ) as few:
        text = client.get(page).content.decode()
    assert text.index(">late<") < text.index(">bad<") < text.index(">old<")
    answer = client.post(
        reverse("admin-inbox-act"), {"ref": [ref("old"), ref("late")], "act": "claim"}
    )
    assert answer.status_code == 302
    assert set(WorkItem.objects.values_list("owner_id", flat=True)) == {f"user:{user.pk}"}
    mine = client.get(page, {"owner": "me"}).content.decode()
    assert ">old<" in mine
    assert ">bad<" not in mine
    with CaptureQueriesContext(connection) as more:
        client.get(page)
    assert len(more) <= len(few)


def test_the_page_needs_its_permission_and_a_get_changes_nothing():
    client, _user = browser(VOTE_APPROVAL.code)
    assert client.get(reverse("admin-inbox")).status_code == 403
    assert (
        client.post(reverse("admin-inbox-act"), {"ref": ref("old"), "act": "claim"}).status_code
        == 403
    )
    able, _user = browser(INBOX)
    assert able.get(reverse("admin-inbox-act")).status_code == 405
    assert WorkItem.objects.count() == 0
