"""The Redis connection: queues, live hints and quotes in flight, nothing that must survive."""

from functools import cache

import redis
from django.conf import settings


@cache
def redis_client() -> redis.Redis:
    """One pooled client for each process; values are bytes. Its patience is longer than any blocking read here."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=False,
        health_check_interval=30,
        socket_timeout=15,
        socket_connect_timeout=5,
    )
