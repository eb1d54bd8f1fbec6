"""`make demo`: what prevents it is one sentence and exit code 1, and nothing is left running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokeros import bootstrap, demo, embedded
from brokeros.memory import shares


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bos-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        yield home
        embedded.erase(home)


def run_demo(home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brokeros.demo"],
        env={**os.environ, "BROKEROS_HOME": str(home), **environ},
        cwd=embedded.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_one_sentence_and_starts_nothing(home: Path, taken_port: int) -> None:
    done = run_demo(home, PORT=str(taken_port))

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0] == (
        f"Broker OS cannot start: port {taken_port} is in use by another program; "
        "end that one or choose another port: make demo PORT=8010"
    )
    assert embedded.postgres_pid(home) is None
    assert not embedded.layout(home).data.exists()


def test_a_second_demo_on_the_same_home_is_refused(home: Path) -> None:
    with demo._only_one(home):
        done = run_demo(home, PORT="0")

    assert done.returncode == 1
    assert done.stdout == (
        f"Broker OS cannot start: it already runs from {home}; "
        "end that one, or set BROKEROS_HOME and PORT for a second one.\n"
    )


def test_a_home_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    home.parent.joinpath("file").write_text("in the way")

    done = run_demo(home.parent / "file" / "home")

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        f"Broker OS cannot start: the folder {home.parent / 'file' / 'home'} cannot be written "
        "(Not a directory); make it writable or set BROKEROS_HOME to another folder.\n"
    )


def test_a_full_disk_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedded, "MIN_FREE_MB", 10**9)
    monkeypatch.setattr(demo, "require_free_ports", lambda port: None)
    monkeypatch.setattr(demo.signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(sys, "argv", ["demo"])
    monkeypatch.setenv("BROKEROS_HOME", str(home))

    assert demo.main() == 1

    free_mb = shutil.disk_usage(home).free // 2**20
    assert (
        f"MB are free on the disk of {home}; at least 1000000000 MB are needed."
        in capsys.readouterr().out
    )
    assert free_mb < 10**9
    assert embedded.postgres_pid(home) is None


def test_an_old_python_is_one_sentence_and_installs_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "install", installed.append)

    assert bootstrap.main([], version=(3, 9)) == 1

    assert capsys.readouterr().out == (
        "Broker OS needs Python 3.11 or newer, and this is 3.9; "
        "name a newer one, for example: make demo PYTHON=python3.12\n"
    )
    assert installed == []


def test_the_environment_is_installed_once_for_each_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def check_call(command: list[str]) -> None:
        calls.append(command[1:3])
        (tmp_path / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv" / "bin" / "python").touch()

    lock = tmp_path / "requirements.lock"
    lock.write_text("a==1")
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", str(tmp_path / ".venv"))
    monkeypatch.setattr(bootstrap.subprocess, "check_call", check_call)

    bootstrap.install(str(lock))
    bootstrap.install(str(lock))
    lock.write_text("a==2")
    bootstrap.install(str(lock))

    assert calls == [["-m", "venv"], ["-m", "pip"], ["-m", "pip"]]


def test_the_welcome_names_every_address_and_the_password() -> None:
    text = demo.welcome(8010, 12.4)

    assert "ready after 12 s" in text
    for address in ("/admin/", "/portal/", "/partner/", "/api/v1/", "/demo/mailbox/"):
        assert f"http://127.0.0.1:8010{address}" in text
    assert demo.PASSWORD in text


def test_memory_counts_both_servers_of_a_home(home: Path) -> None:
    embedded.start(home)

    commands = [command for command, _ in shares(home)]

    assert sum("redis-server" in command for command in commands) == 1
    assert (
        sum(command.startswith(("postgres", "/")) and "postgres" in command for command in commands)
        >= 5
    )
