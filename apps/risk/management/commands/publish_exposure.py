"""`manage.py publish_exposure`: the live exposure, computed here and pushed to every page that watches."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

import msgspec
import redis.asyncio
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from apps.core import clock
from apps.core.redis import redis_client
from apps.orders.host import shards
from apps.risk.exposure import ExposureKeeper, publishable
from apps.risk.snapshot import GROUP, snapshot_read

HEARTBEAT = "risk:exposure:heartbeat"


class Command(BaseCommand):
    help = "Keep the exposure of the house and push it to the pages, at most four times a second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=0.25, help="seconds between two pushes")
        parser.add_argument(
            "--reload", type=float, default=20.0, help="seconds between two reloads"
        )
        parser.add_argument("--seconds", type=float, default=0.0, help="stop after; 0 = never")

    def handle(self, *args: Any, **options: Any) -> None:
        publisher = ExposurePublisher(options["every"], options["reload"])
        asyncio.run(publisher.run(options["seconds"]))
        self.stdout.write(f"exposure: stopped after {publisher.keeper.sequence} pushes")


class ExposurePublisher:
    """Follows the engines and pushes in its own rhythm."""

    def __init__(self, every: float, reload_every: float) -> None:
        self.keeper = ExposureKeeper()
        self.every = every
        self.reload_every = reload_every
        self._stopped = asyncio.Event()
        self._waiting: list[dict[str, Any]] = []

    async def run(self, seconds: float) -> None:
        """Until a signal or the end of `seconds`. Subscribes before it loads, so nothing falls between."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopped.set)
        listener = asyncio.create_task(self._listen())
        started, next_reload, next_point = loop.time(), 0.0, 0.0
        try:
            while not self._stopped.is_set() and not 0 < seconds <= loop.time() - started:
                now = loop.time()
                if now >= next_reload:
                    next_reload = now + self.reload_every
                    await self._in_thread(self.keeper.load)
                message = await self._push()
                if now >= next_point:
                    next_point = now + 5.0
                    snapshot = snapshot_read(message["snapshot"])
                    await self._in_thread(self.keeper.remember, snapshot)
                await self._pause(self.every - (loop.time() - now))
        finally:
            listener.cancel()

    async def _push(self) -> dict[str, Any]:
        waiting, self._waiting = self._waiting, []
        message = await self._in_thread(self._computed, waiting)
        await get_channel_layer().group_send(GROUP, message)
        return message

    def _computed(self, waiting: list[dict[str, Any]]) -> dict[str, Any]:
        for delta in waiting:
            self.keeper.take(delta)
        if self.keeper.hedges_are_old:
            self.keeper.load_hedges()
        redis_client().set(HEARTBEAT, repr(clock.now().timestamp()), ex=60)
        return publishable(self.keeper)

    async def _in_thread(self, function: Any, *args: Any) -> Any:
        def call() -> Any:
            close_old_connections()
            return function(*args)

        return await sync_to_async(call)()

    async def _listen(self) -> None:
        """Collect deltas; a lost connection is opened again, and the next reload heals what it missed."""
        channels = [shards.deltas_channel(shard) for shard in settings.ENGINE_SHARDS]
        while True:
            client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.subscribe(*channels)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self._waiting.append(msgspec.msgpack.decode(message["data"]))
            except redis.RedisError:
                await asyncio.sleep(1.0)
            finally:
                await client.aclose()  # type: ignore[attr-defined]

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), max(seconds, 0.01))
        except TimeoutError:
            return
