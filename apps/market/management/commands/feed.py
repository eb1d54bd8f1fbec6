"""`manage.py feed`: simulated quotes for every instrument that is open."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from asgiref.sync import sync_to_async
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.market.feeding import (
    PUSH_EVERY,
    QuotePublisher,
    Tick,
    replayed_symbols,
    simulator_build,
)
from apps.market.quotes import to_us
from apps.market.selectors import last_quotes
from apps.market.simulation import MarketSimulator

REFRESH_SECONDS = 60.0


class Command(BaseCommand):
    help = "Publish simulated quotes until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=None, help="default: the time of the start")
        parser.add_argument("--every", type=float, default=0.25, help="seconds between two steps")
        parser.add_argument(
            "--share", type=float, default=0.6, help="share of the instruments quoted in each step"
        )
        parser.add_argument("--seconds", type=float, default=0.0, help="stop after; 0 = never")

    def handle(self, *args: Any, **options: Any) -> None:
        seed = options["seed"] if options["seed"] is not None else to_us(clock.now())
        simulator = simulator_build(seed=seed)
        if not simulator.instruments:
            raise CommandError("there are no instruments yet; run manage.py load_instruments first")
        feed = Feed(simulator, seed, options["every"], options["share"])
        self.stdout.write(f"feed: {len(simulator.instruments)} instruments, seed {seed}")
        asyncio.run(feed.run(options["seconds"]))
        self.stdout.write(f"feed: stopped after {feed.publisher.published} quotes")


class Feed:
    """Steps the simulator by the wall clock and publishes what it says."""

    def __init__(self, simulator: MarketSimulator, seed: int, every: float, share: float) -> None:
        self.simulator = simulator
        self.seed = seed
        self.every = every
        self.share = share
        self.publisher = QuotePublisher("SIMULATED", self._digits())
        self.stopped = asyncio.Event()
        self._claimed: set[str] = set()

    def _digits(self) -> dict[str, int]:
        return {i.symbol: i.digits for i in self.simulator.instruments}

    async def run(self, seconds: float) -> None:
        """Publish until a signal or the end of `seconds`; bars under way are stored at the end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopped.set)
        started = loop.time()
        turn = 0
        await self._yield_to_replays()
        await self._step(share=1.0)
        while not self.stopped.is_set() and not 0 < seconds <= loop.time() - started:
            turn += 1
            await self._step(self.share)
            if turn % max(1, round(1 / self.every)) == 0:
                await self._yield_to_replays()
                await self.publisher.archive()
            if turn % max(1, round(REFRESH_SECONDS / self.every)) == 0:
                await self._refresh()
            await self._pause(started + turn * self.every - loop.time())
        await self.publisher.archive(everything=True)

    async def _step(self, share: float) -> None:
        quotes = self.simulator.step(clock.now(), self.every, share)
        self.publisher.publish(
            Tick(q.symbol, q.bid_points, q.ask_points, q.ts_us)
            for q in quotes
            if q.symbol not in self._claimed
        )
        await self.publisher.push()

    async def _yield_to_replays(self) -> None:
        claimed = replayed_symbols(i.symbol for i in self.simulator.instruments)
        released = self._claimed - claimed
        self._claimed = claimed
        if released:
            quotes = await sync_to_async(last_quotes)(released)
            for symbol, quote in quotes.items():
                self.simulator.anchor(symbol, float(quote.mid))

    async def _refresh(self) -> None:
        """Take in instruments and calendars that changed since; prices go on from the last quotes."""
        self.simulator = await sync_to_async(simulator_build)(seed=self.seed + 1)
        self.seed += 1
        self.publisher.digits = self._digits()

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self.stopped.wait(), min(seconds, PUSH_EVERY * 5))
        except TimeoutError:
            return
