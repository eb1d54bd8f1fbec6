"""The base of every WebSocket: a person's line that ends the moment the person is cut off."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model

NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
ASK_AGAIN_SECONDS = 15.0


def user_group(user_id: int) -> str:
    """The Channels group that every open line of a login belongs to."""
    return f"user.{user_id}"


class BrokerConsumer(AsyncJsonWebsocketConsumer):
    """Subclasses say `opened`, `closed`, and `may_open` when more than a login is needed.

    The line joins `user.<id>` before it asks whether the login still holds, so a cut-off that happens in
    between is not missed. `{"type": "cut.off"}` to that group closes it with 4401. Because a hint may be lost, the
    login is asked for again every `ASK_AGAIN_SECONDS`, too: inactive or signed out everywhere ends the line.
    """

    _signed: str = ""
    _sentinel: asyncio.Task[None] | None = None
    _is_open = False

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(code=NOT_SIGNED_IN)
            return
        self._signed = user.get_session_auth_hash()
        await self.channel_layer.group_add(user_group(user.pk), self.channel_name)
        if not await self._still_signed_in():
            await self.close(code=NOT_SIGNED_IN)
            return
        if not await self.may_open():
            await self.close(code=NOT_ALLOWED)
            return
        await self.accept()
        self._is_open = True
        self._sentinel = asyncio.create_task(self._ask_again())
        await self.opened()

    async def disconnect(self, code: int) -> None:
        if self._sentinel is not None:
            self._sentinel.cancel()
        user = self.scope["user"]
        if user.is_authenticated:
            await self.channel_layer.group_discard(user_group(user.pk), self.channel_name)
        if self._is_open:
            self._is_open = False
            await self.closed()

    async def cut_off(self, event: dict[str, Any]) -> None:
        """The person may not be here any more."""
        await self.close(code=NOT_SIGNED_IN)

    async def may_open(self) -> bool:
        """Whether this person may have this line. Anybody who is signed in, unless a subclass says otherwise."""
        return True

    async def opened(self) -> None:
        """The line stands: join groups, send what is there."""

    async def closed(self) -> None:
        """The line is gone: leave groups, end tasks. Called only after `opened`."""

    @database_sync_to_async
    def _still_signed_in(self) -> bool:
        session = self.scope.get("session")
        if session is not None and session.session_key and not session.exists(session.session_key):
            return False
        user = get_user_model()._default_manager.filter(pk=self.scope["user"].pk).first()
        return user is not None and user.is_active and user.get_session_auth_hash() == self._signed

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            if not await self._still_signed_in():
                with contextlib.suppress(RuntimeError):
                    await self.close(code=NOT_SIGNED_IN)
                return
