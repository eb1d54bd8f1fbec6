"""Prometheus metrics at `/metrics`: requests as they are answered, and the state of queues and engines when asked.

Only for those whose address is in METRICS_ALLOWED, or, once METRICS_TOKEN is set, who send it as a bearer token.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseForbidden
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from brokeros.health import engine_heartbeat_age_s, oldest_deliveries_s, outbox_lag_s

log = logging.getLogger(__name__)

REQUESTS = Counter("brokeros_http_requests", "Answered requests", ["method", "route", "status"])
LATENCY = Histogram(
    "brokeros_http_request_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
MOST_COUNTED = 10_000
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Counts requests by route (never by address, which would make a series for each client)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/metrics":
            return metrics(request)
        began = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = getattr(request.resolver_match, "route", "") or "unknown"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        LATENCY.labels(method, route).observe(time.perf_counter() - began)
        return response


class SystemState(Collector):
    """What PostgreSQL and Redis know about the other processes, read when the metrics are asked for."""

    def collect(self) -> Iterator[Metric]:
        for read in (self._outbox, self._queues, self._engines):
            try:
                yield from read()
            except Exception:
                log.warning("metrics could not be read", exc_info=True)

    def describe(self) -> list[Metric]:
        return []

    def _outbox(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "brokeros_outbox_lag_seconds",
            "Age of the oldest event not yet handed on",
            outbox_lag_s(),
        )
        deliveries = GaugeMetricFamily(
            "brokeros_deliveries", "Deliveries that are not done", labels=["state"]
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, count(*) FROM core_delivery WHERE state IN ('PENDING', 'DEAD') GROUP BY state"
            )
            counted = dict(cursor.fetchall())
        for state in ("PENDING", "DEAD"):
            deliveries.add_metric([state], counted.get(state, 0))
        yield deliveries
        late = GaugeMetricFamily(
            "brokeros_delivery_lag_seconds",
            "Age of the oldest event that a reaction has not handled",
            labels=["handler"],
        )
        for handler, age_s in sorted(oldest_deliveries_s().items()):
            late.add_metric([handler], age_s)
        yield late

    def _queues(self) -> Iterator[Metric]:
        from apps.core.redis import redis_client

        depth = GaugeMetricFamily(
            "brokeros_queue_depth", "Messages that wait in a queue", labels=["queue"]
        )
        depth.add_metric(["default"], redis_client().llen("default"))  # type: ignore[arg-type]
        for shard in settings.ENGINE_SHARDS:
            depth.add_metric([f"engine.{shard}"], _unanswered(f"engine:{shard}:in"))
        yield depth

    def _engines(self) -> Iterator[Metric]:
        """The figures that an engine keeps in the hash `engine:<shard>:stats`, each a number."""
        from apps.core.redis import redis_client

        up = GaugeMetricFamily(
            "brokeros_engine_up", "Whether the engine says that it works", labels=["shard"]
        )
        figures = GaugeMetricFamily(
            "brokeros_engine", "The engine's own figures", labels=["shard", "figure"]
        )
        for shard in settings.ENGINE_SHARDS:
            up.add_metric([shard], 0 if engine_heartbeat_age_s(shard) is None else 1)
            stats: dict[bytes, bytes] = redis_client().hgetall(f"engine:{shard}:stats")  # type: ignore[assignment]
            for name, value in sorted(stats.items()):
                figures.add_metric([shard, name.decode()], float(value))
        yield up
        yield figures


def _unanswered(stream: str) -> int:
    """Commands that an engine has not read, or not acknowledged. The stream itself also holds the answered ones."""
    from apps.core.redis import redis_client

    client = redis_client()
    if not client.exists(stream):
        return 0
    groups: list[dict[str, object]] = client.xinfo_groups(stream)  # type: ignore[assignment]
    if not groups:
        return int(client.xlen(stream))  # type: ignore[arg-type]
    last = groups[0]["last-delivered-id"]
    start = last.decode() if isinstance(last, bytes) else str(last)
    unread: list[object] = client.xrange(stream, min=f"({start}", count=MOST_COUNTED)  # type: ignore[assignment]
    return len(unread) + int(str(groups[0]["pending"]))


def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_read(request):
        return HttpResponseForbidden(
            "The metrics are not for this address.\n", content_type="text/plain"
        )
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if "X-Forwarded-For" in request.headers:
        # The address is then the proxy's, and says nothing about who asks.
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_ALLOWED)


REGISTRY.register(SystemState())
