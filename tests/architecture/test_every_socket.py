"""Every WebSocket × everybody: who gets a line, who is told to sign in, who is told no."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from apps.core.consumers import NOT_ALLOWED, NOT_SIGNED_IN, BrokerConsumer
from brokeros.routing import websocket_urlpatterns
from tests.architecture.house import STAFF_ROLES, House
from tests.architecture.test_every_address import may

pytestmark = pytest.mark.django_db

RULES: dict[str, str] = {
    "ws/quotes/": "",
    "ws/notifications/": "",
    "ws/exposure/": "risk.view_exposure",
}
"""Address → the permission it asks for; nothing where every login has a line of its own."""

WHOLE = {"ws/exposure/"}
"""Lines that add up whole companies: somebody who sees less than a company gets none."""

NARROW = ("own", "lead", "desk", "country", "guest", "late", "nobody")
WIDE = ("company", "elsewhere")


@pytest.fixture
def _django_db_helper() -> None:
    """The house stays as well."""


def routes() -> dict[str, Any]:
    return {str(pattern.pattern): pattern.callback for pattern in websocket_urlpatterns}


def test_every_socket_has_a_rule_and_stands_on_the_one_base() -> None:
    assert set(routes()) == set(RULES)
    others = [
        path
        for path, door in routes().items()
        if not issubclass(door.consumer_class, BrokerConsumer)
    ]
    assert others == []


async def _knock(door: Any, path: str, user: Any) -> tuple[bool, Any, str]:
    """Whether the line stands, the code when it does not, and the first thing that is said."""
    line = WebsocketCommunicator(door, f"/{path}")
    line.scope["user"] = user
    stands, code = await line.connect(timeout=10)
    said = ""
    if stands:
        if not await line.receive_nothing(timeout=0.05):
            said = str(await line.receive_output())
        await line.disconnect()
    return stands, code, said


def expected(path: str, who: str) -> Any:
    """True for a line, else the code it is closed with."""
    permission = RULES[path]
    if who == "anonymous":
        return NOT_SIGNED_IN
    role = "admin" if who in (*NARROW, *WIDE) else who
    if permission and not may(role, permission):
        return NOT_ALLOWED
    return NOT_ALLOWED if path in WHOLE and who in NARROW else True


@pytest.mark.parametrize("path", RULES)
def test_each_socket_opens_for_those_alone_who_may_and_says_nothing_of_others(
    house: House, path: str
) -> None:
    door, wrong = routes()[path], []
    secrets = [house.ana.email, house.ana.row.number, str(house.ana.client_id)]
    for who in ("anonymous", "client", "partner", *STAFF_ROLES, *NARROW, *WIDE):
        user = house.logins[who] or AnonymousUser()
        stands, code, said = async_to_sync(_knock)(door, path, user)
        if (stands or code) != expected(path, who):
            wrong.append(f"{who}: {'open' if stands else code}, expected {expected(path, who)}")
        wrong += [f"{who} hears {secret}" for secret in secrets if secret in said]
    assert not wrong, "\n" + "\n".join(wrong)
