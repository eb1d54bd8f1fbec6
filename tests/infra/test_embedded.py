"""The embedded servers: they start, survive kill -9, and say in one sentence why they cannot run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import redis

from brokeros import daemons, embedded


@pytest.fixture
def home() -> Iterator[Path]:
    """A scratch home with a short path that any account can reach."""
    with tempfile.TemporaryDirectory(prefix="bos-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        yield home
        embedded.erase(home)


def test_both_servers_answer_and_a_second_start_finds_them_running(home: Path) -> None:
    services = embedded.start(home)
    first = embedded.postgres_pid(home), embedded.redis_pid(home)

    assert embedded.start(home) == services
    assert (embedded.postgres_pid(home), embedded.redis_pid(home)) == first
    with psycopg.connect(services.database_url) as connection:
        version, fsync = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync')"
        ).fetchone()  # type: ignore[misc]
    assert (version, fsync) == (18, "on")
    assert redis.Redis.from_url(services.redis_url).ping() is True


def test_what_was_committed_is_there_after_kill_9_of_the_database(home: Path) -> None:
    services = embedded.start(home)
    with psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    killed = embedded.postgres_pid(home)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    embedded.start(home)

    assert embedded.postgres_pid(home) != killed
    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_killed_server_whose_starter_still_lives_is_collected_and_started_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "_cleanup", lambda: None)
    embedded.start(home)
    for _ in range(2):
        killed = embedded.postgres_pid(home)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)

        embedded.start_postgres(home)

        assert embedded.postgres_pid(home) not in (None, killed)


def test_redis_starts_again_after_kill_9(home: Path) -> None:
    services = embedded.start(home)
    killed = embedded.redis_pid(home)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    embedded.start(home)

    assert redis.Redis.from_url(services.redis_url).ping() is True


def test_a_pid_file_that_names_another_program_does_not_prevent_a_start(home: Path) -> None:
    embedded.start(home)
    embedded.stop(home)
    pid_file = embedded.layout(home).data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{embedded.layout(home).data}\n1\n5432\n\n\n\nready\n")

    embedded.start(home)

    assert embedded.postgres_answers(home)


def test_stopping_leaves_no_process_and_keeps_the_data(home: Path) -> None:
    services = embedded.start(home)
    with psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")

    embedded.stop(home)
    embedded.stop(home)

    assert (embedded.postgres_pid(home), embedded.redis_pid(home)) == (None, None)
    embedded.start(home)
    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_processes_that_start_the_same_home_at_once_get_the_same_servers(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from brokeros import embedded;"
        "home = Path(sys.argv[1]); embedded.start(home);"
        "print(embedded.postgres_pid(home), embedded.redis_pid(home))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=embedded.BASE_DIR,
        )
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in started]

    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(answers)) == 1


def test_a_deep_home_keeps_its_sockets_within_the_systems_path_limit(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    try:
        embedded.start(deep)
        assert len(str(embedded.layout(deep).database_socket)) <= embedded.SOCKET_PATH_LIMIT
        assert embedded.postgres_answers(deep)
        assert embedded.redis_answers(deep)
    finally:
        embedded.erase(deep)


def test_servers_that_are_named_are_used_and_nothing_is_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://broker:secret@db/brokeros")
    monkeypatch.setenv("REDIS_URL", "redis://cache:6379/0")

    services = embedded.start(home)

    assert services == embedded.Services(
        "postgresql://broker:secret@db/brokeros", "redis://cache:6379/0", frozenset()
    )
    assert not home.exists()


def test_a_home_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    home.parent.joinpath("file").write_text("in the way")

    with pytest.raises(embedded.EmbeddedError) as refused:
        embedded.start(home.parent / "file" / "home")

    assert str(refused.value) == (
        f"The folder {home.parent / 'file' / 'home'} cannot be written (Not a directory); "
        "make it writable or set BROKEROS_HOME to another folder."
    )


def test_a_full_disk_is_one_sentence_and_starts_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        embedded.shutil,
        "disk_usage",
        lambda path: SimpleNamespace(free=12 * 2**20),
    )

    with pytest.raises(embedded.EmbeddedError) as refused:
        embedded.start(home)

    assert str(refused.value) == (
        f"Only 12 MB are free on the disk of {home}; at least 300 MB are needed."
    )
    assert embedded.postgres_pid(home) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_the_broker_address_follows_from_the_redis_address(url: str, expected: str) -> None:
    assert embedded.broker_url(url) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_started_by_root_the_database_runs_as_another_account(home: Path) -> None:
    embedded.start(home)
    pid = embedded.postgres_pid(home)

    assert Path(f"/proc/{pid}").stat().st_uid != 0


@pytest.mark.skipif(
    os.geteuid() != 0 or not daemons.is_world_traversable(Path(psycopg.__file__).parent),
    reason="only root can become another account, and that one must reach the installed packages",
)
def test_an_ordinary_account_runs_its_own_servers(home: Path) -> None:
    """The same start, stop and kill -9 as the account `nobody`, whose servers then belong to it.

    The first start, as root, loads every module while the interpreter's own folder can still be read.
    """
    program = (
        "import os, sys; from pathlib import Path; from brokeros import embedded;"
        "embedded.running(Path(sys.argv[2])).__enter__(); embedded.erase(Path(sys.argv[2]));"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "home = Path(sys.argv[1]); embedded.start(home);"
        "os.kill(embedded.postgres_pid(home), 9); embedded.start(home);"
        "print(Path(f'/proc/{embedded.postgres_pid(home)}').stat().st_uid, embedded.redis_answers(home));"
        "embedded.stop(home); print(embedded.postgres_pid(home))"
    )
    home.parent.chmod(0o777)
    warm_up = home.parent / "warm-up"
    done = subprocess.run(
        [sys.executable, "-c", program, str(home), str(warm_up)],
        capture_output=True,
        text=True,
        cwd=embedded.BASE_DIR,
    )

    assert done.stdout.split() == ["65534", "True", "None"], done.stderr
