"""`python -m brokeros.heartbeat KEY [SECONDS]`: exit code 0 when a process said lately that it works.

The health checks of containers call it; it needs Redis and nothing of Django, so it is quick.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import redis

from brokeros import embedded

DEFAULT_LIMIT_S = 30.0


def age_s(key: str, url: str, now: float) -> float | None:
    """Seconds since the time stored under the key; None when there is none."""
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        value = client.get(key)
    return now - float(value) if value is not None else None  # type: ignore[arg-type]


def main(arguments: list[str], home: Path | None = None) -> int:
    limit_s = float(arguments[1]) if len(arguments) > 1 else DEFAULT_LIMIT_S
    try:
        age = age_s(arguments[0], embedded.resolve(home).redis_url, time.time())
    except (redis.RedisError, ValueError) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1
    return 0 if age is not None and age <= limit_s else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
