"""Live quotes over a WebSocket: a snapshot, then what changed, conflated for whoever reads slowly."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from channels.db import database_sync_to_async

from apps.core.consumers import BrokerConsumer
from apps.market.feeding import GROUP, PUSH_EVERY, quote_row
from apps.market.models import Instrument
from apps.market.selectors import feed_is_alive, last_quotes

MOST_SYMBOLS = 200
HEARTBEAT_SECONDS = 5.0


class QuotesConsumer(BrokerConsumer):
    """Subscribe with `{"type": "subscribe", "symbols": ["EURUSD"]}`, or `"*"` for all.

    Answers `snapshot` and then `delta` messages, each with the next `seq`; `{"type": "snapshot"}` asks for
    everything again. A hint that was lost on the way makes a snapshot of its own accord. While a slow
    reader is being written to, newer quotes replace older ones, so it never falls behind by more than one.
    """

    async def opened(self) -> None:
        self.symbols: set[str] = set()
        self.pending: dict[str, list[Any]] = {}
        self.seq = 0
        self.heard: int | None = None
        self.sender: asyncio.Task[None] | None = None
        self.beat: asyncio.Task[None] | None = None
        await self.channel_layer.group_add(GROUP, self.channel_name)
        self.beat = asyncio.create_task(self._heartbeats())

    async def closed(self) -> None:
        for task in (self.sender, self.beat):
            if task is not None:
                task.cancel()
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "subscribe":
            await self._subscribe(content.get("symbols"))
        elif kind == "snapshot":
            await self._snapshot()
        else:
            await self.send_json({"type": "error", "code": "UNKNOWN_MESSAGE"})

    async def quotes_changed(self, event: dict[str, Any]) -> None:
        """A batch from the publisher. A hole in its numbering means that a batch was lost on the way."""
        missed = self.heard is not None and event["sequence"] > self.heard + 1
        self.heard = event["sequence"]
        if missed:
            await self._snapshot()
            return
        for row in event["quotes"]:
            if row[0] in self.symbols:
                self.pending[row[0]] = row
        if self.pending and (self.sender is None or self.sender.done()):
            self.sender = asyncio.create_task(self._drain())

    async def _subscribe(self, symbols: Any) -> None:
        wanted = await self._known(symbols)
        if wanted is None:
            await self.send_json({"type": "error", "code": "UNKNOWN_INSTRUMENT"})
            return
        self.symbols = wanted
        await self._snapshot()

    async def _snapshot(self) -> None:
        self.pending.clear()
        quotes, alive = await database_sync_to_async(self._read)()
        await self._send("snapshot", quotes, alive=alive)

    def _read(self) -> tuple[list[list[Any]], bool]:
        quotes = last_quotes(self.symbols) if self.symbols else {}
        return [quote_row(quote) for quote in quotes.values()], feed_is_alive()

    @database_sync_to_async
    def _known(self, symbols: Any) -> set[str] | None:
        """The symbols that exist; None when the wish is not a list or names one that does not."""
        if symbols == "*":
            return set(Instrument.objects.values_list("symbol", flat=True))
        if not isinstance(symbols, list) or len(symbols) > MOST_SYMBOLS:
            return None
        wanted = {symbol for symbol in symbols if isinstance(symbol, str)}
        known = set(Instrument.objects.filter(symbol__in=wanted).values_list("symbol", flat=True))
        return known if known == wanted else None

    async def _drain(self) -> None:
        while self.pending:
            rows, self.pending = list(self.pending.values()), {}
            await self._send("delta", rows)
            await asyncio.sleep(PUSH_EVERY)

    async def _send(self, kind: str, rows: list[list[Any]], **more: Any) -> None:
        self.seq += 1
        with contextlib.suppress(RuntimeError):
            await self.send_json({"type": kind, "seq": self.seq, "quotes": rows, **more})

    async def _heartbeats(self) -> None:
        """Tell the page every few seconds whether the feed lives, so that silence is never taken for calm."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            alive = await database_sync_to_async(feed_is_alive)()
            await self._send("heartbeat", [], alive=alive)
