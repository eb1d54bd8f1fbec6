"""The way in: a command goes to the shard's stream and waits for the answer that comes after the commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

import msgspec
from django.conf import settings

from apps.core.redis import redis_client
from apps.orders.engine.commands import Command, encode
from apps.orders.engine.result import Reply
from apps.orders.errors import EngineSilent
from apps.orders.host import shards
from apps.orders.host.delivery import Answer
from apps.orders.host.inline import run_inline

WAIT_SECONDS = 5.0
_inline: ContextVar[bool] = ContextVar("orders_engine_inline", default=False)
_decode = msgspec.msgpack.Decoder(Answer).decode


@contextmanager
def inline_engine() -> Iterator[None]:
    """Decide in this process instead of asking the engine's: for generated history."""
    token = _inline.set(True)
    try:
        yield
    finally:
        _inline.reset(token)


def ask(shard: str, command: Command, *, wait: float = WAIT_SECONDS) -> Reply:
    """Send a command and return the engine's answer, given after its effects are committed.

    Raises `EngineSilent` when no answer came: the command may still take effect, and repeating it (same client order
    id, same key) is safe.
    """
    if _inline.get() or settings.ENGINE_MODE == "inline":
        return run_inline(shard, command)
    client = redis_client()
    reply_to = f"engine:reply:{uuid4().hex}"
    client.xadd(shards.commands_stream(shard), {b"c": encode(command), b"r": reply_to, b"t": b""})
    answer = client.blpop([reply_to], timeout=wait)
    if answer is None:
        raise EngineSilent
    return _decode(answer[1]).reply
