"""`make demo`: a whole brokerage on one machine, from nothing to its addresses, ended by Ctrl-C.

Whatever prevents it is one sentence and exit code 1. The data stays under BROKEROS_HOME; a second start continues
with it, `--reset` starts afresh.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO

from brokeros import embedded
from brokeros.processes import PROCESSES
from brokeros.spawning import preload
from brokeros.supervisor import Console, Supervisor

READY_TIMEOUT_S = 240.0
READY_CHECKED_EVERY_S = 0.5
SERVERS_CHECKED_EVERY_S = 2.0
PASSWORD = "demo-Broker-2026"  # noqa: S105 (printed for everybody who tries the demo)
STAFF = (
    *("admin", "compliance", "mlro", "finance", "finance2", "dealer", "risk"),
    *("operations", "partners", "sales", "support", "auditor"),
)


class DemoError(RuntimeError):
    """The demo cannot run here; the message is one sentence that says why."""


class Ended(Exception):
    """Ctrl-C or SIGTERM arrived."""


def main() -> int:
    options = _options()
    console = Console(sys.stdout, [process.name for process in PROCESSES])
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, _ended)
    try:
        home = embedded.default_home()
        if options.reset:
            _reset(home, console)
        return run(home, options.port, console, people=not options.empty)
    except (DemoError, embedded.EmbeddedError) as refused:
        console.plain(f"Broker OS cannot start: {refused}")
        return 1
    except Ended:
        return 0


def run(home: Path, port: int, console: Console, *, people: bool = True) -> int:
    """Everything from the servers to the end; raises `DemoError` or `EmbeddedError` with one sentence."""
    began = time.monotonic()
    with _only_one(home):
        require_free_ports(port)
        try:
            services = embedded.start(home)
            environ = environment(home, port, services)
            prepare(home, environ, people=people)
            supervise(home, port, environ, console, began, services.embedded)
        finally:
            _hold_signals()
            embedded.stop(home)
            console.plain("Broker OS has ended; its data is kept.")
    return 0


def supervise(
    home: Path,
    port: int,
    environ: dict[str, str],
    console: Console,
    began: float,
    served: frozenset[str],
) -> None:
    """Runs the processes until Ctrl-C, whoever dies in between being started again."""
    supervisor = Supervisor(PROCESSES, environ=environ, console=console, spawn=preload(environ))
    try:
        supervisor.start()
        _await_ready(supervisor, port)
        console.plain(welcome(port, time.monotonic() - began))
        while True:
            until = time.monotonic() + SERVERS_CHECKED_EVERY_S
            while time.monotonic() < until:
                supervisor.turn()
            _keep_servers(home, served, console)
    except Ended:
        console.plain("Ending …")
    finally:
        _hold_signals()
        supervisor.stop()


def environment(home: Path, port: int, services: embedded.Services) -> dict[str, str]:
    """What every process of the demo is started with."""
    return {
        **os.environ,
        "BROKEROS_HOME": str(home),
        "DATABASE_URL": services.database_url,
        "REDIS_URL": services.redis_url,
        "DJANGO_SETTINGS_MODULE": os.environ.get(
            "DJANGO_SETTINGS_MODULE", "brokeros.settings.demo"
        ),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(embedded.BASE_DIR), os.environ.get("PYTHONPATH")])
        ),
        # One arena keeps the many small allocations of a dozen processes from being held apart for nothing.
        "MALLOC_ARENA_MAX": "1",
    }


def prepare(home: Path, environ: dict[str, str], *, people: bool = True) -> None:
    """Tables, rules, roles, instruments and, in an empty database, the demo's people and their history.

    Skipped when this home was prepared from exactly these migrations and data files before.
    """
    stamp = home / "prepared"
    wanted = f"{fingerprint(environ['DATABASE_URL'])} {people}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    done = subprocess.run(
        [sys.executable, "manage.py", "prepare", *(["--demo"] if people else [])],
        env=environ,
        cwd=embedded.BASE_DIR,
        check=False,
    )
    if done.returncode:
        raise DemoError("the database could not be prepared; the lines above say why.")
    stamp.write_text(wanted)


def fingerprint(database_url: str) -> str:
    """Changes with every file that preparing reads, and with the database that is prepared."""
    digest = hashlib.sha256(database_url.encode())
    apps = embedded.BASE_DIR / "apps"
    for path in sorted({*apps.glob("*/migrations/*.py"), *apps.glob("*/data/**/*.*")}):
        digest.update(str(path.relative_to(apps)).encode() + path.read_bytes())
    return digest.hexdigest()


def require_free_ports(port: int) -> None:
    """Raises `DemoError` when another program listens where a process of the demo wants to."""
    from brokeros.simulators import SIMULATORS

    wanted = {port: "make demo PORT=8010"}
    for simulator in SIMULATORS:
        number = int(os.environ.get(simulator.port_setting, simulator.default_port))
        wanted[number] = f"{simulator.port_setting}={number + 1000} make demo"
    for number, remedy in wanted.items():
        if _is_taken(number):
            raise DemoError(
                f"port {number} is in use by another program; end that one or choose another port: {remedy}"
            )


def readiness(port: int) -> tuple[bool, str]:
    """Whether /readyz says yes, and if not, which parts fail."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200, ""
    except urllib.error.HTTPError as refused:
        return False, ", ".join(_failing_parts(refused.read()))
    except OSError:
        return False, "web"


def welcome(port: int, seconds: float) -> str:
    address = f"http://127.0.0.1:{port}"
    return "\n".join(
        [
            "",
            f"  Broker OS is ready after {seconds:.0f} s. Ctrl-C ends it.",
            "",
            f"  Back office   {address}/admin/       admin@demo.brokeros.example",
            f"  Client        {address}/portal/      ana@client.example, omar@client.example",
            f"  Partner       {address}/partner/     ivy@partner.example",
            f"  API           {address}/api/v1/      schema at {address}/api/v1/schema/",
            f"  Mailbox       {address}/demo/mailbox/",
            "",
            f"  Password for everybody: {PASSWORD}",
            f"  More staff, each @demo.brokeros.example: {', '.join(STAFF[1:])}",
            "",
        ]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first")
    parser.add_argument(
        "--empty", action="store_true", help="without the demo's people and their history"
    )
    return parser.parse_args()


def _reset(home: Path, console: Console) -> None:
    if home.exists():
        with _only_one(home):
            embedded.erase(home)
    console.plain(f"{home} is empty; the demo starts afresh.")


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """One demo per home. The lock ends with its holder, however that ends."""
    with _lock_file(home) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"it already runs from {home}; end that one, or set BROKEROS_HOME and PORT for a second one."
            ) from None
        yield


def _lock_file(home: Path) -> IO[str]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        return (home / "demo.lock").open("a")
    except OSError as error:
        raise DemoError(
            f"the folder {home} cannot be written ({error.strerror}); "
            "make it writable or set BROKEROS_HOME to another folder."
        ) from error


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _await_ready(supervisor: Supervisor, port: int) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    ready, failing = False, "web"
    while not ready:
        if time.monotonic() > deadline:
            raise DemoError(f"not ready after {READY_TIMEOUT_S:.0f} s; still failing: {failing}.")
        until = time.monotonic() + READY_CHECKED_EVERY_S
        while time.monotonic() < until:
            supervisor.turn(0.1)
        ready, failing = readiness(port)


def _failing_parts(body: bytes) -> Iterator[str]:
    try:
        parts: dict[str, dict[str, object]] = json.loads(body).get("parts", {})
    except ValueError:
        yield "web"
        return
    for name, part in parts.items():
        if not part.get("ok"):
            yield name


def _keep_servers(home: Path, served: frozenset[str], console: Console) -> None:
    """Start PostgreSQL or Redis again when it died; the processes reconnect by themselves."""
    servers: tuple[tuple[str, Callable[[Path], int | None], Callable[[Path], str]], ...] = (
        ("postgres", embedded.postgres_pid, embedded.start_postgres),
        ("redis", embedded.redis_pid, embedded.start_redis),
    )
    for name, pid, start in servers:
        if name not in served or pid(home) is not None:
            continue
        console.line(name, "ended; starts again")
        try:
            start(home)
        except embedded.EmbeddedError as refused:
            console.line(name, str(refused))


def _ended(number: int, frame: FrameType | None) -> None:
    raise Ended


def _hold_signals() -> None:
    """From here on the end is under way: a second Ctrl-C must not leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    raise SystemExit(main())
