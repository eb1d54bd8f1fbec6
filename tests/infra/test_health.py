"""Health and metrics: each part that fails is named with 503, and figures are only for those who may see them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from apps.core import clock
from apps.core.models import OutboxEvent
from brokeros import health


@pytest.fixture
def engine_works(fresh_redis: redis.Redis) -> None:
    fresh_redis.set("engine:main:heartbeat", time.time(), ex=30)


def an_event(age: timedelta) -> OutboxEvent:
    return OutboxEvent.objects.create(
        name="core.Tested", aggregate="1", payload={}, created_at=clock.now() - age
    )


def test_healthz_answers_without_any_part(client: Client) -> None:
    answer = client.get("/healthz", headers={"host": "no-such-host.example"})

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_says_what_was_measured_when_all_parts_work(
    client: Client, engine_works: None
) -> None:
    answer = client.get("/readyz", headers={"host": "no-such-host.example"})

    body = answer.json()
    assert (answer.status_code, body["status"], body["failing"]) == (200, "ready", [])
    assert set(body["parts"]) == {"database", "redis", "relay", "engine:main"}
    assert all(part["ok"] for part in body["parts"].values())
    assert body["parts"]["relay"] == {
        "ok": True,
        "lag_s": 0.0,
        "limit_s": 30.0,
        "oldest_delivery_s": 0.0,
        "dead_letters": 0,
    }


@pytest.mark.django_db
def test_an_engine_without_heartbeat_is_named(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["failing"]) == (503, ["engine:main"])
    assert answer.json()["parts"]["engine:main"] == {
        "ok": False,
        "heartbeat_age_s": None,
        "limit_s": 15,
    }


@pytest.mark.django_db
def test_an_engine_that_stopped_saying_it_works_is_named(
    client: Client, fresh_redis: redis.Redis
) -> None:
    fresh_redis.set("engine:main:heartbeat", time.time() - 16)

    assert client.get("/readyz").json()["failing"] == ["engine:main"]


@pytest.mark.django_db
def test_events_that_nobody_carries_make_it_unready(client: Client, engine_works: None) -> None:
    an_event(age=timedelta(seconds=29))
    assert client.get("/readyz").status_code == 200

    an_event(age=timedelta(seconds=31))

    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["relay"])


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["database", "redis"])
def test_a_server_that_does_not_answer_is_named_without_its_address(
    client: Client, engine_works: None, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def refuse() -> health.Part:
        raise ConnectionError("connection to 10.0.0.5 as brokeros refused")

    monkeypatch.setattr(health, part, refuse)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["failing"]) == (503, [part])
    assert answer.json()["parts"][part] == {"ok": False, "error": "ConnectionError"}


@pytest.mark.django_db
def test_metrics_hold_requests_outbox_queues_and_engine_figures(
    client: Client, engine_works: None, fresh_redis: redis.Redis
) -> None:
    fresh_redis.hset("engine:main:stats", mapping={"batches": 12, "batch_p99_us": 850})
    fresh_redis.lpush("default", "a", "b", "c")
    fresh_redis.xgroup_create("engine:main:in", "engine", id="0", mkstream=True)
    for number in range(1, 5):
        fresh_redis.xadd("engine:main:in", {"c": "order"}, id=f"{number}-0")
    fresh_redis.xreadgroup("engine", "engine", {"engine:main:in": ">"}, count=2)
    fresh_redis.xack("engine:main:in", "engine", "1-0")
    an_event(age=timedelta(seconds=5))
    client.get("/healthz-no-such-page")

    text = client.get("/metrics").content.decode()

    assert 'brokeros_http_requests_total{method="GET",route="unknown",status="404"}' in text
    assert 'brokeros_queue_depth{queue="default"} 3.0' in text
    assert 'brokeros_queue_depth{queue="engine.main"} 3.0' in text
    assert 'brokeros_engine_up{shard="main"} 1.0' in text
    assert 'brokeros_engine{figure="batch_p99_us",shard="main"} 850.0' in text
    assert 'brokeros_deliveries{state="DEAD"} 0.0' in text
    (lag,) = [line for line in text.splitlines() if line.startswith("brokeros_outbox_lag_seconds ")]
    assert 5 <= float(lag.split()[1]) < 35


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 403),
    ],
)
@pytest.mark.django_db
def test_metrics_are_only_for_allowed_addresses(
    client: Client, address: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=address, headers=headers)

    assert answer.status_code == status
    assert (b"brokeros_" in answer.content) is (status == 200)


@pytest.mark.django_db
def test_once_a_token_is_set_only_the_token_counts(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-token-for-prometheus"

    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"authorization": "Bearer another"}).status_code == 403
    answer = client.get(
        "/metrics",
        REMOTE_ADDR="10.1.2.3",
        headers={"authorization": "Bearer a-token-for-prometheus"},
    )
    assert answer.status_code == 200
