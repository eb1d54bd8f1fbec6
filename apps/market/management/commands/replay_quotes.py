"""`manage.py replay_quotes FILE [FILE2]`: recorded quotes as if they happened now."""

from __future__ import annotations

import asyncio
import re
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.market.errors import UnknownInstrument
from apps.market.feeding import QuotePublisher, Tick, replay_claim, replay_release
from apps.market.filters import TickFilter
from apps.market.models import Instrument
from apps.market.quotes import to_us
from apps.market.readers import BadLine, FileTick, Survey, source, survey
from apps.market.selectors import instrument_get
from apps.market.simulation import HOUR_SPREAD

BATCH = 200
ALIASES = {"6eh4": "6EH7", "goog": "GOOG", "btcusd": "BTCUSD"}


class Command(BaseCommand):
    help = (
        "Publish the quotes of a file: ticks (time,bid,ask), bars, or a pair of bid and ask bars. "
        "The whole input is read and checked before its first quote is published."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--speed",
            type=float,
            default=1.0,
            help="1 = as recorded, 60 = a minute a second, 0 = at once",
        )
        parser.add_argument("--symbol", default="", help="default: from the name of the file")
        parser.add_argument(
            "--recorded-time",
            action="store_true",
            help="keep the recorded times instead of today's",
        )
        parser.add_argument("--limit", type=int, default=0, help="stop after so many quotes")

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        try:
            instrument = instrument_get(options["symbol"] or symbol_of(files[0]))
            read = source(files, instrument.digits, spread_model(instrument))
            found = survey(read())
        except FileNotFoundError as error:
            raise CommandError(f"{error.filename}: there is no such file") from error
        except (BadLine, UnknownInstrument) as error:
            raise CommandError(str(error)) from error
        if not found.ticks:
            raise CommandError(f"{files[0].name}: the file holds no quotes")
        self.stdout.write(
            f"{instrument.symbol}: {found.ticks} quotes from {_day(found.first_us)} to "
            f"{_day(found.last_us)}, {found.crossed} crossed and left out"
        )
        replay = Replay(instrument, found, options["speed"], options["recorded_time"])
        asyncio.run(replay.run(read(), options["limit"]))
        self.stdout.write(f"{instrument.symbol}: {replay.publisher.published} quotes published")


class Replay:
    """Publishes file ticks in their own rhythm, times the speed."""

    def __init__(
        self, instrument: Instrument, found: Survey, speed: float, recorded_time: bool
    ) -> None:
        self.symbol = instrument.symbol
        self.speed = speed
        self.recorded_time = recorded_time
        self.first_us = found.first_us
        self.started_us = to_us(clock.now())
        self.publisher = QuotePublisher(
            "REPLAY", {self.symbol: instrument.digits}, TickFilter(max_move=0.1)
        )

    async def run(self, ticks: Any, limit: int) -> None:
        """Publish all ticks; the simulated feed leaves the symbol alone meanwhile."""
        batch: list[Tick] = []
        replay_claim(self.symbol)
        last_push = 0.0
        try:
            for number, tick in enumerate(ticks, start=1):
                wait = self._due_in(tick)
                now = asyncio.get_running_loop().time()
                if batch and (wait > 0 or len(batch) >= BATCH or now - last_push > 0.2):
                    await self._release(batch)
                    batch, last_push = [], now
                await self._wait(wait)
                batch.append(Tick(self.symbol, tick.bid, tick.ask, self._time_of(tick)))
                if limit and number >= limit:
                    break
            await self._release(batch)
            await self.publisher.archive(everything=True)
        finally:
            replay_release(self.symbol)

    async def _release(self, batch: list[Tick]) -> None:
        replay_claim(self.symbol)
        self.publisher.publish(batch)
        await self.publisher.push()
        await self.publisher.archive()

    async def _wait(self, seconds: float) -> None:
        while seconds > 0:
            replay_claim(self.symbol)
            await asyncio.sleep(min(seconds, 3.0))
            seconds -= 3.0

    def _due_in(self, tick: FileTick) -> float:
        if self.speed <= 0:
            return 0.0
        due_us = self.started_us + (tick.ts_us - self.first_us) / self.speed
        return (due_us - to_us(clock.now())) / 1_000_000

    def _time_of(self, tick: FileTick) -> int:
        return tick.ts_us if self.recorded_time else to_us(clock.now())


def symbol_of(path: Path) -> str:
    """The symbol that the name of a file begins with: `eurusd-ticks-2020-01.csv.gz` is EURUSD."""
    word = re.split(r"[-_.]", path.name, maxsplit=1)[0]
    return ALIASES.get(word.lower(), word.upper())


def spread_model(instrument: Instrument) -> Any:
    """The instrument's typical spread times the factor of the hour, as the simulated feed has it."""
    return lambda ts_us: round(
        instrument.typical_spread_points * float(HOUR_SPREAD[ts_us // 3_600_000_000 % 24])
    )


def _day(ts_us: int) -> str:
    return f"{datetime.fromtimestamp(ts_us / 1_000_000, tz=UTC):%Y-%m-%d %H:%M:%S}"
