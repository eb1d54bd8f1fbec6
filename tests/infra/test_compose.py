"""The compose file: valid by the specification's schema, and the same processes as everywhere else."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
import redis
import yaml
from celery import Celery
from django.conf import settings

from apps.accounts.adapters.simulator import start
from brokeros import heartbeat
from brokeros.processes import PROCESSES
from brokeros.scheduling import HEARTBEAT, BeatingScheduler
from brokeros.simulators import SIMULATORS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_it_is_valid_by_the_compose_specification(compose: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

    assert [error.message for error in validator.iter_errors(compose)] == []
    broken = {**compose, "services": {"web": {"imagee": "x"}}}
    assert not validator.is_valid(broken)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_process_runs_there_as_it_does_in_the_demo(
    compose: dict[str, Any], process: Any
) -> None:
    service = compose["services"][process.name]

    assert service["command"] == process.arguments("python", {"HOST": "0.0.0.0", "PORT": "8000"})
    assert service.get("profiles") == (["demo"] if process.demo_only else None)
    assert service["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert service["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    assert service["restart"] == "unless-stopped"


def test_nothing_but_the_processes_and_their_servers_runs(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {process.name for process in PROCESSES} | {
        "postgres",
        "redis",
        "prepare",
    }


def test_every_service_that_goes_on_has_a_health_check(compose: dict[str, Any]) -> None:
    lasting = {name: s for name, s in compose["services"].items() if s["restart"] != "no"}

    assert len(lasting) == len(compose["services"]) - 1
    for name, service in lasting.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["healthcheck"]["interval"] == "10s", name


def test_every_simulator_is_reached_by_the_name_of_its_service(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]

    for simulator in SIMULATORS:
        place = f"simulators:{simulator.default_port}"
        assert any(str(value).endswith(f"{place}}}") for value in environment.values()) or any(
            f"//{place}" in str(value) for value in environment.values()
        ), simulator.name
    assert compose["services"]["simulators"]["environment"]["SIMULATOR_BIND"] == "0.0.0.0"


def test_the_simulators_listen_where_they_are_told_to(tmp_path: Path) -> None:
    server = start(port=0, home=tmp_path, bind="127.0.0.2")
    try:
        assert server.server_address[0] == "127.0.0.2"
    finally:
        server.shutdown()


def test_the_clock_of_scheduled_work_says_that_it_ticks(
    fresh_redis: redis.Redis, tmp_path: Path
) -> None:
    celery = Celery("ticking", broker="memory://")
    scheduler = BeatingScheduler(celery, schedule_filename=str(tmp_path / "schedule"))

    scheduler.tick()
    scheduler.close()

    assert time.time() - float(fresh_redis.get(HEARTBEAT) or 0) < 5


def test_every_secret_must_be_given(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]

    keys = ("SECRET_KEY", "BROKEROS_SIGNING_KEY", "BROKEROS_KEK", "BROKEROS_INDEX_KEY")
    for name in (*keys, "PUBLIC_URL", "ALLOWED_HOSTS"):
        assert environment[name].startswith(f"${{{name}:?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_only_the_web_process_is_published_and_by_default_only_on_this_machine(
    compose: dict[str, Any],
) -> None:
    published = {
        name: service["ports"]
        for name, service in compose["services"].items()
        if "ports" in service
    }

    assert published == {
        "web": ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"],
        "simulators": ["${BIND:-127.0.0.1}:8102:8102"],
    }
    assert compose["services"]["simulators"]["profiles"] == ["demo"]


def test_the_image_installs_the_hashed_lock_and_does_not_run_as_root() -> None:
    steps = (ROOT / "Dockerfile").read_text()

    assert "--require-hashes -r /tmp/requirements.lock" in steps
    assert re.findall(r"^USER (\w+)$", steps, re.MULTILINE) == ["brokeros"]
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", steps, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split()), copied


@pytest.mark.parametrize(
    ("age_s", "code"),
    [(5, 0), (29, 0), (31, 1), (None, 1)],
    ids=["fresh", "within", "old", "never"],
)
def test_a_heartbeat_is_healthy_only_while_it_is_fresh(
    fresh_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch, age_s: int | None, code: int
) -> None:
    monkeypatch.setenv("REDIS_URL", settings.REDIS_URL)
    if age_s is not None:
        fresh_redis.set("relay:heartbeat", time.time() - age_s)

    assert heartbeat.main(["relay:heartbeat", "30"]) == code


def test_a_heartbeat_that_cannot_be_read_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/redis.sock")

    assert heartbeat.main(["relay:heartbeat"]) == 1
    assert capsys.readouterr().err.startswith("relay:heartbeat: ")
