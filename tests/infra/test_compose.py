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
from django.conf import settings

from brokeros import heartbeat
from brokeros.processes import PROCESSES

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


@pytest.mark.parametrize("name", ["web", "engine", "worker", "relay", "feed", "postgres", "redis"])
def test_what_others_need_has_a_health_check(compose: dict[str, Any], name: str) -> None:
    check = compose["services"][name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert check["interval"] == "10s"


def test_every_secret_must_be_given(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]

    for name in ("SECRET_KEY", "PUBLIC_URL", "ALLOWED_HOSTS"):
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

    assert published == {"web": ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"]}


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
