"""How often somebody may try. Counted in Redis: a restart forgives, which costs nothing of value."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta

import redis

from apps.core.redis import redis_client

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` within `per`, counted from the first try."""

    name: str
    times: int
    per: timedelta

    def _key(self, who: str) -> str:
        """Addresses are hashed, so that Redis holds no personal data."""
        return f"throttle:{self.name}:{hashlib.sha256(who.lower().encode()).hexdigest()[:32]}"

    def reached(self, who: str) -> bool:
        """Whether `who` has to wait. Without Redis nobody is kept out: passwords still are."""
        try:
            return int(redis_client().get(self._key(who)) or 0) >= self.times
        except redis.RedisError:
            logger.warning("throttle_unavailable")
            return False

    def count(self, who: str) -> None:
        try:
            pipe = redis_client().pipeline()
            pipe.set(self._key(who), 0, ex=self.per, nx=True)
            pipe.incr(self._key(who))
            pipe.execute()
        except redis.RedisError:
            logger.warning("throttle_unavailable")

    def forgive(self, who: str) -> None:
        try:
            redis_client().delete(self._key(who))
        except redis.RedisError:
            logger.warning("throttle_unavailable")


REGISTER_BY_IP = Limit("register-ip", 20, timedelta(hours=1))
MAIL_BY_ADDRESS = Limit("mail-address", 4, timedelta(hours=1))
MAIL_BY_IP = Limit("mail-ip", 30, timedelta(hours=1))
