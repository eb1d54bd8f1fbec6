"""Open lines ask what pages ask: the network, the age of the session, the second factor."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client as Browser

from apps.core.consumers import NOT_ALLOWED, NOT_SIGNED_IN
from apps.core.notifications.consumers import NotificationsConsumer
from apps.users.models import User
from apps.users.services import network_rule_add
from tests.clients.conftest import house
from tests.users.people import acting, hire

pytestmark = pytest.mark.django_db
__all__ = ["house"]
PROXY = {"client": ["10.0.0.2", 4444]}


def inside(user: User) -> SessionBase:
    browser = Browser()
    browser.force_login(user)
    return browser.session


def line_of(user: User, session: SessionBase, **scope: Any) -> WebsocketCommunicator:
    line = WebsocketCommunicator(NotificationsConsumer.as_asgi(), "/ws/notifications/")
    line.scope |= {"user": user, "session": session, "client": ["198.51.100.7", 4444]} | scope
    return line


async def _opens(line: WebsocketCommunicator) -> Any:
    stands, code = await line.connect(timeout=10)
    if stands:
        await line.disconnect()
    return stands or code


def opens(user: User, session: SessionBase, **scope: Any) -> Any:
    return async_to_sync(_opens)(line_of(user, session, **scope))


def refusal(user: User, session: SessionBase, **scope: Any) -> int:
    """What the line is asked at its start and every few seconds."""
    consumer = NotificationsConsumer()
    consumer.scope = line_of(user, session, **scope).scope
    consumer._signed = user.get_session_auth_hash()
    return consumer.refusal_now()


@pytest.fixture
def dealer(house) -> User:
    person = hire("dylan", "dealing")
    network_rule_add(
        role="dealing",
        networks=["198.51.100.0/24"],
        actor=acting(hire("ada", "admin")),
        reason="desk only",
    )
    return person


def test_from_elsewhere_no_line_opens_also_behind_our_own_proxy(dealer, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    session = inside(dealer)
    said = [(b"x-forwarded-for", b"198.51.100.7"), (b"x-forwarded-for", b"203.0.113.9")]
    assert refusal(dealer, session) == 0
    assert refusal(dealer, session, client=["203.0.113.9", 4444]) == NOT_ALLOWED
    assert refusal(dealer, session, **PROXY, headers=said[:1]) == 0
    assert refusal(dealer, session, **PROXY, headers=said) == NOT_ALLOWED
    settings.TRUSTED_PROXIES = []
    assert refusal(dealer, session, **PROXY, headers=said[:1]) == NOT_ALLOWED
    assert opens(dealer, session, client=["203.0.113.9", 4444]) == NOT_ALLOWED


@pytest.mark.parametrize("stamp", ["seen_at", "started_at"])
def test_a_session_that_is_over_opens_no_line(dealer, stamp):
    session = inside(dealer)
    session[stamp] = time.time() - 60 * 60 * 24
    session.save()
    assert opens(dealer, session) == NOT_SIGNED_IN


def test_a_line_that_stands_ends_with_its_session(dealer, monkeypatch):
    monkeypatch.setattr("apps.core.consumers.ASK_AGAIN_SECONDS", 0.05)
    session = inside(dealer)

    def grows_old() -> None:
        stored = session.__class__(session.session_key)
        stored["seen_at"] = time.time() - 60 * 60 * 24
        stored.save()

    async def story() -> int:
        from asgiref.sync import sync_to_async

        line = line_of(dealer, session)
        assert (await line.connect(timeout=10))[0]
        await line.receive_json_from(timeout=5)
        await sync_to_async(grows_old)()
        return int((await line.receive_output(timeout=5))["code"])

    assert async_to_sync(story)() == NOT_SIGNED_IN


def test_whoever_has_to_enrol_a_second_factor_has_no_line_before(dealer, settings):
    settings.SECOND_FACTOR_ENFORCED = True
    session = inside(dealer)
    assert refusal(dealer, session) == NOT_ALLOWED
    TOTP.activate(dealer, generate_totp_secret())
    assert refusal(dealer, session) == 0
