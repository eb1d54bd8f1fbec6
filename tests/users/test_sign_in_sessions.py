"""Sessions end where a service says so, and old ones ask again before money and power move."""

from __future__ import annotations

import time

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client as Browser

from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotAllowed, NotVisible, StepUpRequired
from apps.core.models import AuditRecord
from apps.core.permissions import VOTE_APPROVAL, Permission
from apps.users.models import User
from apps.users.selectors import actor_for
from apps.users.services import session_end, sessions_end

SECRET_ACT = Permission("core.test_secret_act", "Open the safe", step_up=True)
SYSTEM = Actor.system("tests")


def clerk(*permissions: str, fresh: bool = True) -> Actor:
    return Actor(ActorKind.STAFF, "user:7", "Clerk", 7, frozenset(permissions), fresh=fresh)


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("vera@house.example", "a-long-secret-of-Vera", is_staff=True)


def test_what_moves_money_asks_for_a_fresh_sign_in_and_nothing_else_does() -> None:
    stale = clerk("core.test_secret_act", "core.view_auditrecord", fresh=False)
    with pytest.raises(StepUpRequired) as asked:
        stale.require(SECRET_ACT)
    assert (asked.value.code, asked.value.status) == ("STEP_UP_REQUIRED", 403)
    assert str(asked.value) == "Confirm that it is you before you go on: Open the safe."
    stale.require("core.view_auditrecord")
    clerk("core.test_secret_act").require(SECRET_ACT)
    SYSTEM.require(SECRET_ACT)


def test_a_missing_permission_is_said_before_a_proof_is_asked_for() -> None:
    with pytest.raises(NotAllowed):
        clerk(fresh=False).require(VOTE_APPROVAL)
    with pytest.raises(NotAllowed):
        clerk(fresh=False).require(SECRET_ACT)


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (14, True), (16, False)])
def test_a_sign_in_is_fresh_for_a_quarter_of_an_hour(
    user: User, rf: object, minutes: int, fresh: bool
) -> None:
    browser = Browser()
    browser.force_login(user)
    session = browser.session
    session["fresh_at"] = time.time() - 60 * minutes
    request = rf.get("/")  # type: ignore[attr-defined]
    request.user, request.session = user, session
    assert actor_for(user, request).fresh is fresh


def test_ending_all_sessions_also_ends_those_that_no_list_knows(user: User) -> None:
    listed, unlisted = Browser(), Browser()
    for browser in (listed, unlisted):
        browser.force_login(user)
    UserSession.objects.create(user=user, ip="127.0.0.1", session_key=listed.session.session_key)
    assert listed.get("/admin/").status_code == unlisted.get("/admin/").status_code == 200

    assert sessions_end(user_id=user.pk, actor=SYSTEM, reason="left the house") == 1

    assert not UserSession.objects.exists()
    assert listed.get("/admin/").status_code == unlisted.get("/admin/").status_code == 302
    record = AuditRecord.objects.get(action="login.sessions_end")
    assert (record.subject_id, record.after) == (str(user.pk), {"sessions": 1})


def test_one_device_is_ended_by_its_owner_and_by_nobody_else(user: User) -> None:
    other = User.objects.create_user("omar@house.example", "a-long-secret-of-Omar")
    browser = Browser()
    browser.force_login(user)
    row = UserSession.objects.create(
        user=user, ip="127.0.0.1", session_key=browser.session.session_key
    )
    with pytest.raises(NotVisible):
        session_end(user_id=other.pk, session_id=row.pk, actor=SYSTEM, reason="not mine")
    assert Session.objects.filter(session_key=row.session_key).exists()
    session_end(user_id=user.pk, session_id=row.pk, actor=SYSTEM, reason="lost phone")
    assert browser.get("/admin/").status_code == 302
