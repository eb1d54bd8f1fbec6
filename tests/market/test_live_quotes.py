"""`/ws/quotes/`: signed in only, a snapshot first, then changes, and a snapshot again after a loss."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from apps.core import clock
from apps.market.consumers import QuotesConsumer
from apps.market.feeding import GROUP, QuotePublisher, Tick, master_data
from apps.market.quotes import to_us
from apps.market.services import instruments_load
from apps.users.models import User
from tests.market.conftest import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)
READERS: dict[str, User] = {}


@pytest.fixture
def publisher() -> QuotePublisher:
    return QuotePublisher("TEST", {"EURUSD": 5, "USDJPY": 3})


@pytest.fixture(autouse=True)
def instruments(transactional_db: None) -> None:
    instruments_load(data=master_data(), actor=ACTOR, reason="test")
    READERS["ana"] = User.objects.create_user("ana@client.example", "a-long-password")


def line(user: Any = None) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(QuotesConsumer.as_asgi(), "/ws/quotes/")
    communicator.scope["user"] = user or READERS["ana"]
    return communicator


async def publish(publisher: QuotePublisher, symbol: str, bid: int) -> None:
    tick = Tick(symbol, bid, bid + 8, to_us(clock.now()))
    await sync_to_async(publisher.publish)([tick])
    await publisher.push()


def story(steps: Any) -> None:
    asyncio.run(steps())


def test_a_stranger_is_turned_away():
    async def steps() -> None:
        connected, code = await line(AnonymousUser()).connect()
        assert (connected, code) == (False, 4401)

    story(steps)


def test_a_page_gets_a_snapshot_and_then_only_what_it_asked_for(publisher: QuotePublisher):
    async def steps() -> None:
        await publish(publisher, "EURUSD", 108_500)
        page = line()
        await page.connect()
        await page.send_json_to({"type": "subscribe", "symbols": ["EURUSD"]})
        snapshot = await page.receive_json_from()
        await publish(publisher, "USDJPY", 151_200)
        await publish(publisher, "EURUSD", 108_510)
        delta = await page.receive_json_from()
        await page.disconnect()

        assert (snapshot["type"], snapshot["seq"], snapshot["alive"]) == ("snapshot", 1, True)
        assert [row[:3] for row in snapshot["quotes"]] == [["EURUSD", "1.08500", "1.08508"]]
        assert (delta["type"], delta["seq"]) == ("delta", 2)
        assert [row[:3] for row in delta["quotes"]] == [["EURUSD", "1.08510", "1.08518"]]

    story(steps)


def test_a_lost_batch_is_answered_with_a_fresh_snapshot(publisher: QuotePublisher):
    async def steps() -> None:
        page = line()
        await page.connect()
        await page.send_json_to({"type": "subscribe", "symbols": ["EURUSD"]})
        await page.receive_json_from()
        await publish(publisher, "EURUSD", 108_500)
        await page.receive_json_from()
        publisher._redis.incr("market:sequence")
        await publish(publisher, "EURUSD", 108_520)
        healed = await page.receive_json_from()
        await page.disconnect()

        assert (healed["type"], healed["seq"]) == ("snapshot", 3)
        assert healed["quotes"][0][1] == "1.08520"

    story(steps)


def test_a_slow_reader_gets_the_latest_price_and_not_the_backlog(publisher: QuotePublisher):
    async def steps() -> None:
        page = line()
        await page.connect()
        await page.send_json_to({"type": "subscribe", "symbols": ["EURUSD"]})
        await page.receive_json_from()
        for bid in range(108_500, 108_520):
            await publish(publisher, "EURUSD", bid)
        first = await page.receive_json_from()
        second = await page.receive_json_from()
        nothing_more = await page.receive_nothing(timeout=0.5)
        await page.disconnect()

        assert len(first["quotes"]) == 1
        assert second["quotes"][0][1] == "1.08519"
        assert nothing_more

    story(steps)


@pytest.mark.parametrize("symbols", [["EURUSD", "NOPE"], "EURUSD", None, ["X"] * 201])
def test_a_wish_for_what_does_not_exist_is_refused(symbols: Any):
    async def steps() -> None:
        page = line()
        await page.connect()
        await page.send_json_to({"type": "subscribe", "symbols": symbols})
        assert await page.receive_json_from() == {"type": "error", "code": "UNKNOWN_INSTRUMENT"}
        await page.send_json_to({"type": "dance"})
        assert await page.receive_json_from() == {"type": "error", "code": "UNKNOWN_MESSAGE"}
        await get_channel_layer().group_send(
            GROUP,
            {"type": "quotes.changed", "sequence": 1, "quotes": [["EURUSD", "1", "2", 3]]},
        )
        assert await page.receive_nothing(timeout=0.3)
        await page.disconnect()

    story(steps)
