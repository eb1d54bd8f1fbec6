"""The Redis connection: queues, live hints and quotes in flight, nothing that must survive."""

from functools import cache

import redis
from django.conf import settings


@cache
def redis_client() -> redis.Redis:
    """One pooled client for each process; values are bytes."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=False, health_check_interval=30)
