"""Whether this installation works: `/healthz` (the process answers) and `/readyz` (everything it needs does too).

Answered before host checks, redirects and sessions, so that a probe inside a container needs no host name. The answer
names each part with what was measured, and nothing about the installation that a stranger could use.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse

HEARTBEAT_LIMIT_S = 15
RELAY_LAG_LIMIT_S = settings.OUTBOX_LAG_LIMIT_S

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must work, and what was found."""

    ok: bool
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **self.detail}


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            return readyz()
        return self.get_response(request)


def readyz() -> JsonResponse:
    """200 when all parts work, 503 with the failing ones named otherwise."""
    parts = {name: _measure(name, check) for name, check in checks().items()}
    failing = sorted(name for name, part in parts.items() if not part.ok)
    answer = JsonResponse(
        {
            "status": "unready" if failing else "ready",
            "failing": failing,
            "parts": {name: part.as_json() for name, part in parts.items()},
        },
        status=503 if failing else 200,
        headers={"Cache-Control": "no-store"},
    )
    # An answer to a probe is no error of the server: Django need not log it as one, twice a second at start.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def checks() -> dict[str, Callable[[], Part]]:
    """What readiness means, one check for each part; one engine for each shard."""
    engines = {f"engine:{shard}": _engine_check(shard) for shard in settings.ENGINE_SHARDS}
    return {"database": database, "redis": redis, "relay": relay, **engines}


def database() -> Part:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Part(True, {"latency_ms": _milliseconds(began)})


def redis() -> Part:
    from apps.core.redis import redis_client

    began = time.perf_counter()
    redis_client().ping()
    return Part(True, {"latency_ms": _milliseconds(began)})


def relay() -> Part:
    """Events that wait longer than half a minute mean that nobody carries them.

    A reaction that is behind, or gave up, is told here and in the inbox, and takes no page off the net.
    """
    lag_s = outbox_lag_s()
    late_s = max(oldest_deliveries_s().values(), default=0.0)
    return Part(
        lag_s <= RELAY_LAG_LIMIT_S,
        {
            "lag_s": round(lag_s, 1),
            "limit_s": RELAY_LAG_LIMIT_S,
            "oldest_delivery_s": round(late_s, 1),
            "dead_letters": dead_letter_count(),
        },
    )


def outbox_lag_s() -> float:
    """Age of the oldest event that has not been handed to its reactions, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 "
            "FROM core_outboxevent WHERE dispatched_at IS NULL"
        )
        row = cursor.fetchone()
    return max(0.0, float(row[0])) if row else 0.0


def oldest_deliveries_s() -> dict[str, float]:
    """Handler → age of the oldest event that it has not handled."""
    from apps.core.dead_letters import oldest_pending

    return oldest_pending()


def dead_letter_count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_delivery WHERE state = 'DEAD'")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def engine_heartbeat_age_s(shard: str) -> float | None:
    """Seconds since the shard's engine last said that it works; None when it never did, or long ago."""
    from apps.core.redis import redis_client

    value = redis_client().get(f"engine:{shard}:heartbeat")
    try:
        return max(0.0, time.time() - float(value)) if value is not None else None  # type: ignore[arg-type]
    except ValueError:
        return None


def _engine_check(shard: str) -> Callable[[], Part]:
    def check() -> Part:
        age_s = engine_heartbeat_age_s(shard)
        ok = age_s is not None and age_s <= HEARTBEAT_LIMIT_S
        return Part(
            ok,
            {
                "heartbeat_age_s": None if age_s is None else round(age_s, 1),
                "limit_s": HEARTBEAT_LIMIT_S,
            },
        )

    return check


def _measure(name: str, check: Callable[[], Part]) -> Part:
    """A check that raises has failed; what it raised goes to the log, its kind to the answer."""
    try:
        return check()
    except Exception as error:
        log.warning("readiness check failed: %s", name, exc_info=True)
        return Part(False, {"error": type(error).__name__})


def _milliseconds(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
