"""The clock of scheduled work says that it ticks, so that a health check can tell a silent one."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import redis
from celery.beat import PersistentScheduler

from apps.core.redis import redis_client

HEARTBEAT = "beat:heartbeat"
KEPT_S = 300


class BeatingScheduler(PersistentScheduler):
    """Writes the time under `HEARTBEAT` at each tick. Without Redis it goes on: the work itself will say so."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        with suppress(redis.RedisError):
            redis_client().set(HEARTBEAT, int(time.time()), ex=KEPT_S)
        seconds: float = super().tick(*args, **kwargs)
        return seconds
