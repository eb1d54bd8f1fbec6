"""Production settings: each one that is missing is one sentence at start, and with all of them Django has no doubts."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys

import pytest

from brokeros import embedded

COMPLETE = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "BROKEROS_SIGNING_KEY": secrets.token_urlsafe(32),
    "DATABASE_URL": "postgresql://brokeros@localhost/brokeros",
    "REDIS_URL": "redis://localhost:6379/0",
    "PUBLIC_URL": "https://broker.example",
    "ALLOWED_HOSTS": "broker.example",
    "BROKEROS_KEK": f"2026:{base64.b64encode(secrets.token_bytes(32)).decode()}",
    "BROKEROS_INDEX_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
}
ENTRIES = {
    "manage.py": ("manage.py", "check"),
    "manage.py --settings": ("manage.py", "check", "--settings", "brokeros.settings.production"),
    "manage.py --settings=": ("manage.py", "check", "--settings=brokeros.settings.production"),
    "asgi": ("-c", "import brokeros.asgi"),
    "wsgi": ("-c", "import brokeros.wsgi"),
}


def run(entry: tuple[str, ...], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in COMPLETE}
    return subprocess.run(
        [sys.executable, *entry],
        env={**clean, **environ, "DJANGO_SETTINGS_MODULE": _otherwise(entry)},
        cwd=embedded.BASE_DIR,
        capture_output=True,
        text=True,
    )


def _otherwise(entry: tuple[str, ...]) -> str:
    """The option on the command line must win over the environment."""
    named = any(part.startswith("--settings") for part in entry)
    return "brokeros.settings.demo" if named else "brokeros.settings.production"


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_missing_setting_is_one_sentence_at_start(entry: tuple[str, ...]) -> None:
    done = run(entry, {name: value for name, value in COMPLETE.items() if name != "REDIS_URL"})

    assert done.returncode == 1
    assert done.stderr == (
        "Broker OS cannot start: REDIS_URL is not set: "
        "queues and live pages need it, e.g. redis://redis:6379/0.\n"
    )
    assert done.stdout == ""


@pytest.mark.parametrize("name", COMPLETE)
def test_every_required_setting_is_named_when_it_is_missing(name: str) -> None:
    done = run(ENTRIES["manage.py"], {**COMPLETE, name: "  "})

    assert done.returncode == 1
    assert done.stderr.startswith(f"Broker OS cannot start: {name} is not set: ")
    assert done.stderr.count("\n") == 1


def test_django_has_no_doubts_about_the_production_settings() -> None:
    done = run(("manage.py", "check", "--deploy", "--fail-level", "WARNING"), COMPLETE)

    assert done.returncode == 0, done.stderr
    assert "System check identified no issues" in done.stdout
