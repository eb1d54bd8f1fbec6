"""The base of every WebSocket: a person's line that ends the moment the person is cut off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user_model

from apps.core.addresses import client_address

NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
ASK_AGAIN_SECONDS = 15.0

LineCheck = Callable[[Any, Any, str], int]
"""Of a user, their session (or None) and an address: the code a line is closed with, 0 where it may stand."""
_CHECKS: list[LineCheck] = []


def register_line_check(check: LineCheck) -> None:
    """Let the app that knows logins ask of every line what it asks of every page, at the start and again and again."""
    if check not in _CHECKS:
        _CHECKS.append(check)


def user_group(user_id: int) -> str:
    """The Channels group that every open line of a login belongs to."""
    return f"user.{user_id}"


class BrokerConsumer(AsyncJsonWebsocketConsumer):
    """Subclasses say `opened`, `closed`, and `may_open` when more than a login is needed.

    The line joins `user.<id>` before it asks whether the login still holds, so a cut-off that happens in
    between is not missed. `{"type": "cut.off"}` to that group closes it with 4401. Because a hint may be lost, the
    login is asked for again every `ASK_AGAIN_SECONDS`, too: inactive or signed out everywhere ends the line, and
    so does what `register_line_check` brought, such as a network that is not allowed or a session that is over.
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
        if refusal := await self._refusal():
            await self.close(code=refusal)
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

    async def _refusal(self) -> int:
        return await database_sync_to_async(self.refusal_now)()

    def refusal_now(self) -> int:
        """The code that this line is closed with as things are now; 0 while it may stand."""
        session = self.scope.get("session")
        if session is not None and session.session_key:
            if not session.exists(session.session_key):
                return NOT_SIGNED_IN
            session = session.__class__(
                session.session_key
            )  # as it is now, not as it was at the start
        user = get_user_model()._default_manager.filter(pk=self.scope["user"].pk).first()
        if user is None or not user.is_active or user.get_session_auth_hash() != self._signed:
            return NOT_SIGNED_IN
        address = self._address()
        return next((code for check in _CHECKS if (code := check(user, session, address))), 0)

    def _address(self) -> str:
        """Where the line comes from, found as for a page."""
        headers = self.scope.get("headers", ())
        named = [value for name, value in headers if name == b"x-forwarded-for"]
        meta = {
            "REMOTE_ADDR": (self.scope.get("client") or ("",))[0],
            "HTTP_X_FORWARDED_FOR": b",".join(named).decode("latin-1"),
        }
        return client_address(meta, settings.TRUSTED_PROXIES)

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            if refusal := await self._refusal():
                with contextlib.suppress(RuntimeError):
                    await self.close(code=refusal)
                return
