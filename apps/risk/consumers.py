"""Live exposure over a WebSocket: a snapshot within one's scope, then the rows that changed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from channels.db import database_sync_to_async

from apps.core.consumers import NOT_ALLOWED, BrokerConsumer
from apps.risk.calculations import Report, changes
from apps.risk.selectors import ExposureScope, exposure_scope_of
from apps.risk.snapshot import GROUP, Snapshot, history_read, snapshot_latest, snapshot_read

CHECK_AGAIN_SECONDS = 10.0
SILENCE_SECONDS = 3.0


class ExposureConsumer(BrokerConsumer):
    """Sends `snapshot` and then `delta` messages with the next `seq`.

    The permission and the scope are asked again every few seconds: whoever loses them loses the line. When
    the publisher falls silent a `state` message says so, because a page that stands still looks calm.
    """

    report: Report | None = None
    scope_now: ExposureScope | None = None
    watch: asyncio.Task[None] | None = None
    seq = 0
    checked_at = 0.0

    async def may_open(self) -> bool:
        return await self._may_see()

    async def opened(self) -> None:
        self.heard_at = time.monotonic()
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self._snapshot()
        self.watch = asyncio.create_task(self._watch())

    async def closed(self) -> None:
        if self.watch is not None:
            self.watch.cancel()
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if isinstance(content, dict) and content.get("type") == "snapshot":
            if await self._checked():
                await self._snapshot()
        else:
            await self.send_json({"type": "error", "code": "UNKNOWN_MESSAGE"})

    async def exposure_changed(self, event: dict[str, Any]) -> None:
        """A complete exposure from the publisher; the page gets what differs from what it has."""
        self.heard_at = time.monotonic()
        if not await self._checked():
            return
        snapshot = snapshot_read(event["snapshot"])
        if self.report is None:
            await self._send_snapshot(snapshot)
            return
        report = self._report_of(snapshot)
        delta = changes(self.report, report)
        self.report = report
        await self._send({"type": "delta", "views": delta, "state": snapshot.state()})

    async def _snapshot(self) -> None:
        snapshot = await database_sync_to_async(snapshot_latest)()
        if snapshot is None:
            self.report = None
            await self._send({"type": "state", "state": None})
            return
        await self._send_snapshot(snapshot)

    async def _send_snapshot(self, snapshot: Snapshot) -> None:
        assert self.scope_now is not None
        self.report = self._report_of(snapshot)
        history = await database_sync_to_async(history_read)(self.scope_now.entities)
        await self._send(
            {
                "type": "snapshot",
                "views": self.report,
                "state": snapshot.state(),
                "history": history,
            }
        )

    def _report_of(self, snapshot: Snapshot) -> Report:
        assert self.scope_now is not None
        return snapshot.report(self.scope_now.entities)

    async def _checked(self) -> bool:
        if time.monotonic() - self.checked_at < CHECK_AGAIN_SECONDS or await self._may_see():
            return True
        await self.close(code=NOT_ALLOWED)
        return False

    async def _may_see(self) -> bool:
        before = self.scope_now
        self.scope_now = await database_sync_to_async(exposure_scope_of)(self.scope["user"].pk)
        self.checked_at = time.monotonic()
        if before is not None and self.scope_now is not None and before != self.scope_now:
            self.report = None
        return self.scope_now is not None

    async def _send(self, message: dict[str, Any]) -> None:
        self.seq += 1
        await self.send_json({**message, "seq": self.seq})

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SILENCE_SECONDS)
            if time.monotonic() - self.heard_at > SILENCE_SECONDS:
                self.report = None
                await self._send({"type": "state", "state": None})
