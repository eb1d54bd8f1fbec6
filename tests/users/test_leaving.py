"""Whoever is cut off is out at the same moment: sessions, open lines, roles, stand-ins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from channels.testing import WebsocketCommunicator
from django.core import mail
from django.db import connection
from django.test import Client as Browser

from apps.core import clock
from apps.core.approvals import EFFECTS, approval_return, delegation_give
from apps.core.approvals.errors import DutiesTogether
from apps.core.consumers import NOT_SIGNED_IN
from apps.core.errors import NotAllowed
from apps.core.models import Approval, AuditRecord, Delegation, Mail
from apps.core.notifications.consumers import NotificationsConsumer
from apps.users.errors import (
    BeyondOwnScope,
    LastAdmin,
    LinkInvalid,
    LoginExists,
    NothingAsked,
    OwnAccess,
    PasswordIsSet,
)
from apps.users.models import User
from apps.users.reach import reach_of
from apps.users.services import (
    access_request,
    staff_change,
    staff_invite,
    staff_invite_again,
    staff_readmit,
    user_cut_off,
    welcome_password_set,
)
from apps.users.services.staff import welcome_link
from apps.users.signin.policy import factor_wanted
from tests.core.approving import ACTION, FIRST, ask, paying
from tests.users.people import PASSWORD, acting, hire, refused, roles_of

STRONG = "a-very-long-newcomers-secret-7"


def browser_of(user: User) -> Browser:
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.mark.django_db
def test_the_next_request_is_a_strangers(admin, checker):
    person = hire("fatima", "finance")
    first, second = browser_of(person), browser_of(person)
    assert first.get("/admin/").status_code == 200
    user_cut_off(user_id=person.pk, actor=acting(checker), reason="left today")
    for browser in (first, second):
        assert browser.get("/admin/").status_code == 302
        assert browser.get("/api/v1/clients/").status_code in (401, 403)
    again = Browser()
    assert again.login(username=person.email, password=PASSWORD) is False
    after = User.objects.get(pk=person.pk)
    assert (after.is_active, after.left_at is not None, roles_of(after)) == (False, True, [])
    newest = after.history.latest()
    assert (newest.history_change_reason, newest.history_user) == ("left today", checker)


@pytest.mark.django_db
def test_an_old_session_stays_dead_after_being_let_back_in(admin, checker):
    person = hire("fatima", "finance")
    browser = browser_of(person)
    user_cut_off(user_id=person.pk, actor=acting(checker), reason="left today")
    staff_readmit(user_id=person.pk, actor=acting(admin), reason="came back")
    after = User.objects.get(pk=person.pk)
    assert (after.is_active, after.scope_level, roles_of(after)) == (True, "NONE", [])
    assert browser.get("/admin/").status_code == 302
    assert not after.has_usable_password()


@pytest.mark.django_db
def test_stand_ins_and_requests_end_too(admin, checker):
    leaver, colleague = hire("fatima", "finance"), hire("felix", "finance")
    now = clock.now()
    delegation_give(
        holder_id=f"user:{leaver.pk}",
        delegate_id=f"user:{colleague.pk}",
        valid_from=now,
        valid_until=now + timedelta(days=5),
        actor=acting(leaver),
        reason="holiday",
    )
    access_request(user_id=leaver.pk, actor=acting(admin), reason="helps out", roles=["compliance"])
    user_cut_off(user_id=leaver.pk, actor=acting(checker), reason="left")
    assert Delegation.objects.get().ended_at is not None
    assert Approval.objects.get(action="users.access").state == "WITHDRAWN"
    ended = AuditRecord.objects.get(action="user.ended").after
    assert (ended["grants"], ended["requests"], ended["delegations"]) == (1, 1, 1)


@pytest.mark.django_db
def test_what_a_leaver_asked_for_is_not_agreed_to_afterwards(admin, checker):
    leaver = acting(hire("fatima", "finance"))
    with paying():
        waits, returned, others = ask(actor=leaver), ask(actor=leaver), ask(actor=acting(admin))
        approval_return(approval_id=returned.pk, actor=FIRST, reason="which invoice?")
        user_cut_off(user_id=leaver.user_id, actor=acting(checker), reason="left")
    states = dict(Approval.objects.values_list("pk", "state"))
    assert states == {waits.pk: "WITHDRAWN", returned.pk: "WITHDRAWN", others.pk: "PENDING"}
    assert [mail.to for mail in Mail.objects.all()].count("freed") == 2
    assert AuditRecord.objects.get(action="user.ended").after["asked"] == 2


@pytest.mark.django_db
def test_a_request_that_cannot_be_taken_back_is_marked_and_holds_nothing_up(admin, checker):
    leaver = acting(hire("fatima", "finance"))

    def stuck(*_: object, **__: object) -> None:
        raise NotAllowed(permission="freeing it")

    with paying():
        EFFECTS[ACTION] = replace(EFFECTS[ACTION], on_reject=stuck)
        approval = ask(actor=leaver)
        user_cut_off(user_id=leaver.user_id, actor=acting(checker), reason="left")
    approval = Approval.objects.get()
    assert (approval.state, approval.severity) == ("PENDING", "CRITICAL")
    assert not User.objects.get(pk=leaver.user_id).is_active


def lend(holder: User, delegate: User) -> None:
    now = clock.now()
    delegation_give(
        delegate_id=f"user:{delegate.pk}",
        valid_from=now,
        valid_until=now + timedelta(days=5),
        actor=acting(holder),
        reason="holiday",
    )


@pytest.mark.django_db
def test_duties_that_one_must_not_hold_are_not_lent_to_one_either(roles):
    finance, dealer, second = (
        hire("fatima", "finance"),
        hire("dan", "dealing"),
        hire("felix", "finance"),
    )
    with refused(DutiesTogether):
        lend(finance, dealer)
    assert Delegation.objects.count() == 0
    lend(finance, second)


@pytest.mark.django_db
def test_who_stands_in_for_a_power_needs_a_second_factor_too(roles):
    finance, reader = hire("fatima", "finance"), hire("rita")
    assert not factor_wanted(reader)
    lend(finance, reader)
    assert factor_wanted(reader)


@pytest.mark.django_db
def test_twice_is_once(admin, checker):
    person = hire("fatima", "finance")
    user_cut_off(user_id=person.pk, actor=acting(checker), reason="left")
    records = AuditRecord.objects.count()
    assert user_cut_off(user_id=person.pk, actor=acting(checker), reason="again").left_at
    assert AuditRecord.objects.count() == records


@pytest.mark.django_db
def test_nobody_cuts_oneself_or_the_last_administrator_off(admin, checker):
    with refused(LastAdmin):
        user_cut_off(user_id=admin.pk, actor=acting(checker), reason="left")
    with refused(OwnAccess):
        user_cut_off(user_id=admin.pk, actor=acting(admin), reason="left")
    rival = acting(hire("sven", "sales"))
    with refused(NotAllowed):
        user_cut_off(user_id=checker.pk, actor=rival, reason="rival")


@pytest.mark.django_db(transaction=True)
def test_open_lines_close_at_once_also_when_the_hint_is_lost(monkeypatch):
    from apps.users.roles import load_roles

    load_roles()
    checker = hire("carla", "compliance")
    heard, deaf = hire("fatima", "finance"), hire("felix", "finance")

    async def closes(person: User, *, hint: bool) -> int:
        line = WebsocketCommunicator(NotificationsConsumer.as_asgi(), "/ws/notifications/")
        line.scope["user"] = person
        connected, _ = await line.connect(timeout=5)
        assert connected
        await line.receive_json_from(timeout=5)
        if hint:
            await asyncio.to_thread(cut, person)
        else:
            await asyncio.to_thread(sign_out_everywhere, person)
        answer = await line.receive_output(timeout=5)
        return answer["code"]

    def cut(person: User) -> None:
        try:
            user_cut_off(user_id=person.pk, actor=acting(checker), reason="left")
        finally:
            connection.close()

    def sign_out_everywhere(person: User) -> None:
        try:
            User.objects.filter(pk=person.pk).update(session_epoch=9)
        finally:
            connection.close()

    assert asyncio.run(closes(heard, hint=True)) == NOT_SIGNED_IN
    monkeypatch.setattr("apps.core.consumers.ASK_AGAIN_SECONDS", 0.1)
    assert asyncio.run(closes(deaf, hint=False)) == NOT_SIGNED_IN

    async def comes_in(person: User) -> bool:
        line = WebsocketCommunicator(NotificationsConsumer.as_asgi(), "/ws/notifications/")
        line.scope["user"] = person
        connected, _ = await line.connect(timeout=5)
        return connected

    assert asyncio.run(comes_in(heard)) is False


@pytest.mark.django_db
def test_a_newcomer_chooses_a_password_by_a_link_that_works_once(
    admin, deliver_outbox, django_capture_on_commit_callbacks
):
    person = staff_invite(
        email=" Nora@House.example ", name="Nora", actor=acting(admin), reason="joins support"
    )
    assert (person.email, person.is_staff, person.scope_level) == (
        "nora@house.example",
        True,
        "NONE",
    )
    with django_capture_on_commit_callbacks(execute=True):
        deliver_outbox()
    assert mail.outbox[-1].to == ["nora@house.example"]
    old = welcome_link(person)
    person = staff_invite_again(user_id=person.pk, actor=acting(admin), reason="lost the mail")
    uid, token = welcome_link(person)
    assert f"/staff/welcome/{uid}/" in mail.outbox[-1].body
    with refused(LinkInvalid):
        welcome_password_set(uid=old[0], token=old[1], password=STRONG, actor=acting(person))
    page = Browser().post(f"/staff/welcome/{uid}/{token}/", {"password": STRONG})
    assert page.status_code == 302
    assert User.objects.get(pk=person.pk).check_password(STRONG)
    used = Browser().get(f"/staff/welcome/{uid}/{token}/").content.decode()
    assert "This link does not work any more" in used
    assert "new-password" not in used
    after = User.objects.get(pk=person.pk)
    assert after.credentials_changed_at is not None
    assert AuditRecord.objects.filter(
        action="login.password_set", subject_id=str(person.pk)
    ).exists()
    deliver_outbox()
    assert mail.outbox[-1].to == ["nora@house.example"]
    assert "The password of your login was changed" in mail.outbox[-1].body
    with refused(PasswordIsSet):
        staff_invite_again(user_id=person.pk, actor=acting(admin), reason="hijack")
    assert User.objects.get(pk=person.pk).session_epoch == after.session_epoch
    with refused(LoginExists):
        staff_invite(email="nora@house.example", name="N", actor=acting(admin), reason="again")


@pytest.mark.django_db
def test_a_narrower_view_counts_now_and_a_wider_one_waits(admin, checker, newcomer):
    assert staff_change(
        user_id=newcomer.pk, actor=acting(admin), reason="promoted", scope_level="ALL"
    )
    assert User.objects.get(pk=newcomer.pk).scope_level == "DESK"
    assert (
        staff_change(
            user_id=newcomer.pk,
            actor=acting(admin),
            reason="less",
            scope_level="OWN",
            name="Nora N",
        )
        is None
    )
    after = User.objects.get(pk=newcomer.pk)
    assert (after.scope_level, after.name) == ("OWN", "Nora N")
    with refused(NothingAsked):
        staff_change(user_id=newcomer.pk, actor=acting(admin), reason="x", **reach_of(after))
    with refused(OwnAccess):
        staff_change(user_id=admin.pk, actor=acting(admin), reason="me", scope_level="OWN")


@pytest.mark.django_db
def test_a_move_that_is_not_wider_stays_within_ones_own_companies(admin, roles):
    local = hire("olof", "admin", scope="ENTITY", entities=["BOS-EU"])
    person = hire("pia", scope="DESK", entities=["BOS-EU"])
    with refused(BeyondOwnScope):
        staff_change(
            user_id=person.pk, actor=acting(local), reason="away", scope_level="NONE", entities=["BOS-INT"],
        )  # fmt: skip
    assert staff_change(
        user_id=person.pk, actor=acting(local), reason="less", scope_level="NONE"
    ) is None  # fmt: skip
    assert User.objects.get(pk=person.pk).scope_level == "NONE"
