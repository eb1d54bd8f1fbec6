"""The bell, live: how much is unread, said again whenever it changes."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from apps.core.consumers import NOT_SIGNED_IN, BrokerConsumer
from apps.core.notifications.selectors import Bell, bell_of
from apps.core.notifications.services import group_of


class NotificationsConsumer(BrokerConsumer):
    """Sends `{"type": "bell", "seq": n, "unread": m}` at once and at each hint, read afresh each time.

    `seq` is the number of the reader's newest notification: a page that sees it jump by more than one missed a
    hint and reads its list again. What stands in a notification never crosses the socket.
    """

    async def opened(self) -> None:
        await self.channel_layer.group_add(group_of(self.scope["user"].pk), self.channel_name)
        await self._ring()

    async def closed(self) -> None:
        await self.channel_layer.group_discard(group_of(self.scope["user"].pk), self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        await self._ring()

    async def notification_hint(self, event: dict[str, Any]) -> None:
        await self._ring()

    async def _ring(self) -> None:
        bell: Bell | None = await database_sync_to_async(bell_of)(self.scope["user"].pk)
        if bell is None:
            await self.close(code=NOT_SIGNED_IN)
            return
        await self.send_json({"type": "bell", "seq": bell.seq, "unread": bell.unread})
