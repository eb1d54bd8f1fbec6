"""The bell, live: how much is unread, said again whenever it changes."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from apps.core.notifications.selectors import Bell, bell_of
from apps.core.notifications.services import group_of

NOT_SIGNED_IN = 4401


class NotificationsConsumer(AsyncJsonWebsocketConsumer):
    """Sends `{"type": "bell", "seq": n, "unread": m}` at once and at each hint, read afresh each time.

    `seq` is the number of the reader's newest notification: a page that sees it jump by more than one missed a
    hint and reads its list again. What stands in a notification never crosses the socket.
    """

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(code=NOT_SIGNED_IN)
            return
        self.user_id: int = user.pk
        await self.channel_layer.group_add(group_of(self.user_id), self.channel_name)
        await self.accept()
        await self._ring()

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "user_id"):
            await self.channel_layer.group_discard(group_of(self.user_id), self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        await self._ring()

    async def notification_hint(self, event: dict[str, Any]) -> None:
        await self._ring()

    async def _ring(self) -> None:
        bell: Bell | None = await database_sync_to_async(bell_of)(self.user_id)
        if bell is None:
            await self.close(code=NOT_SIGNED_IN)
            return
        await self.send_json({"type": "bell", "seq": bell.seq, "unread": bell.unread})
