"""Live exposure over a WebSocket: a snapshot within one's scope, then the rows that changed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from apps.risk.calculations import Report, changes
from apps.risk.selectors import ExposureScope, exposure_scope_of
from apps.risk.snapshot import GROUP, Snapshot, history_read, snapshot_latest, snapshot_read

NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
CHECK_AGAIN_SECONDS = 10.0
SILENCE_SECONDS = 3.0


class ExposureConsumer(AsyncJsonWebsocketConsumer):
    """Sends `snapshot` and then `delta` messages with the next `seq`.

    The permission and the scope are asked again every few seconds: whoever loses them loses the line. When
    the publisher falls silent a `state` message says so, because a page that stands still looks calm.
    """

    async def connect(self) -> None:
        self.seq = 0
        self.report: Report | None = None
        self.scope_now: ExposureScope | None = None
        self.checked_at = 0.0
        self.heard_at = time.monotonic()
        self.watch: asyncio.Task[None] | None = None
        if not self.scope["user"].is_authenticated:
            await self.close(code=NOT_SIGNED_IN)
            return
        if not await self._may_see():
            await self.close(code=NOT_ALLOWED)
            return
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        await self._snapshot()
        self.watch = asyncio.create_task(self._watch())

    async def disconnect(self, code: int) -> None:
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
