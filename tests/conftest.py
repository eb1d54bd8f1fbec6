"""Every test runs against real servers: the embedded ones, or those named by DATABASE_URL and REDIS_URL.

The servers of the test home are started once and left running for the next run. Runs that go on side by side share
them safely: each has its own database (BROKEROS_TEST_DB, plus the xdist worker) and its own numbered Redis database.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings

from brokeros import embedded

TEST_CONNECTIONS = 300
TEMPLATE_PREFIX = "template_tables_"
TEMPLATES_KEPT = 3


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share one running brokerage stay on one worker, and start first because they take longest."""
    whole = {"browser", "faults", "architecture"}
    tests = Path(__file__).parent
    for item in items:
        room = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
        if room in whole:
            item.add_marker(pytest.mark.xdist_group(room))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session")
def services() -> embedded.Services:
    """Addresses of the running PostgreSQL and Redis of this test run."""
    return embedded.start(settings.HOME, durable=False, max_connections=TEST_CONNECTIONS)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, services: embedded.Services
) -> None:
    """Test databases are copied from one that is already migrated, so that migrations run once per change of them."""
    settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = _migrated_template(
        services.database_url
    )


@pytest.fixture(scope="session", autouse=True)
def append_only_tables_can_be_flushed() -> Iterator[None]:
    """Append-only tables refuse TRUNCATE. Only the test runner's own flush may, as the server's superuser."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    kept = DatabaseOperations.execute_sql_flush

    def flush(self: Any, sql_list: list[str]) -> None:
        off, on = "replica", "DEFAULT"
        set_role = "SET session_replication_role = {}".format
        kept(self, [set_role(off), *sql_list, set_role(on)])

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.execute_sql_flush = kept  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def _redis_connection(services: embedded.Services) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client
    client.flushdb()
    client.close()


@pytest.fixture(autouse=True)
def fresh_redis(_redis_connection: redis.Redis) -> redis.Redis:
    """An empty Redis for each test."""
    _redis_connection.flushdb()
    return _redis_connection


@pytest.fixture
def deliver_outbox(db: None) -> Callable[[], int]:
    """Runs every pending reaction inline, as the relay and the worker would."""
    from apps.core.outbox import deliver_all

    return deliver_all


@pytest.fixture
def market_files() -> Path:
    """Real market files, where somebody put them; the test is skipped where nobody did."""
    named = os.environ.get("BROKEROS_MARKET_DATA")
    folder = Path(named) if named else embedded.BASE_DIR.parent / "shared" / "data" / "market"
    if not folder.is_dir():
        pytest.skip("no recorded market data here; set BROKEROS_MARKET_DATA")
    return folder


def _migrated_template(database_url: str) -> str:
    """Name of a database that holds all tables as of these migrations; whoever comes first makes it, others wait."""
    digest = _migrations_digest()
    name = TEMPLATE_PREFIX + digest
    with (settings.HOME / f"template-{digest}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(
            _with_database(database_url, "postgres"), autocommit=True
        ) as connection:
            known = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid DESC",
                [TEMPLATE_PREFIX],
            ).fetchall()
            if (name,) in known:
                return name
            unfinished = f"new_{name}"
            connection.execute(f'DROP DATABASE IF EXISTS "{unfinished}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{unfinished}"')
            _migrate(_with_database(database_url, unfinished))
            connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
            for (old,) in known[TEMPLATES_KEPT:]:
                with contextlib.suppress(psycopg.Error):
                    connection.execute(f'DROP DATABASE IF EXISTS "{old}"')
    return name


def _migrate(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "brokeros.settings.test"},
        cwd=embedded.BASE_DIR,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.exit(f"The migrations do not run:\n{done.stderr[-3000:]}", returncode=1)


def _with_database(url: str, database: str) -> str:
    head, question, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{database}{question}{query}"


def _migrations_digest() -> str:
    digest = hashlib.sha256(repr(settings.INSTALLED_APPS).encode())
    for path in sorted(Path(embedded.BASE_DIR, "apps").glob("*/migrations/*.py")):
        digest.update(str(path.relative_to(embedded.BASE_DIR)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
