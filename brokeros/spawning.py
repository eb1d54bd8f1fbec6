"""Two ways to start a supervised process: as a program of its own, or as a fork that has everything loaded already.

Loading Django and the apps takes seconds of processor time and a hundred megabytes, for each process. A fork of a
parent that has loaded them starts at once and shares that memory, which is what lets the demo be ready in seconds on
a small machine. Where forking is unsafe (macOS) and in production, every process is a program.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import random
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Protocol

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
HIGHEST_DESCRIPTOR = 4096
# What the processes load first anyway, besides the apps themselves.
PRELOADED = (
    *(
        "celery.bin.celery",
        "celery.bin.worker",
        "celery.bin.beat",
        "celery.apps.worker",
        "celery.apps.beat",
    ),
    *(
        "celery.worker.components",
        "celery.worker.consumer",
        "celery.concurrency.solo",
        "kombu.transport.redis",
    ),
    *(
        "celery.concurrency.thread",
        "celery.beat",
        "uvicorn.main",
        "uvicorn.protocols.http.httptools_impl",
    ),
    *("uvicorn.protocols.websockets.auto", "uvloop", "channels_redis.core"),
    *(
        "django.core.handlers.asgi",
        "django.db.backends.postgresql.base",
        "brokeros.urls",
        "brokeros.routing",
    ),
)


class Running(Protocol):
    """What the supervisor needs of a started process; `subprocess.Popen` has it."""

    pid: int
    returncode: int | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...


Spawn = Callable[[str, Sequence[str], Mapping[str, str]], Running]


def spawn_program(name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Running:
    """A program with its own interpreter and process group; its output is one readable stream."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environ),
        start_new_session=True,
        preexec_fn=end_with_parent if sys.platform == "linux" else None,
    )


def preload(environ: Mapping[str, str]) -> Spawn:
    """Load everything in this process and return what forks it. Opens no connection and starts no thread."""
    if sys.platform != "linux":
        return spawn_program
    os.environ.update(environ)
    import django

    django.setup()
    for module in PRELOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    return spawn_fork


class Forked:
    """A forked child, with the part of `subprocess.Popen` that the supervisor uses."""

    def __init__(self, pid: int, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout: IO[bytes] | None = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._collect(os.WNOHANG)

    def wait(self) -> int:
        code = self._collect(0)
        return 0 if code is None else code

    def _collect(self, flags: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid == self.pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def spawn_fork(name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Running:
    """A copy of this process that goes on as the given program (`-m module …` or `script.py …`)."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(name, arguments, environ, writing)
    os.close(writing)
    return Forked(pid, os.fdopen(reading, "rb"))


def end_with_parent() -> None:
    """In a child, before it runs: ask the kernel for SIGTERM should the supervisor die."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _become(name: str, arguments: Sequence[str], environ: Mapping[str, str], output: int) -> None:
    """Never returns. Nothing of the parent stays: not its files, its signals, its output or its random numbers."""
    code = 1
    try:
        os.setsid()
        end_with_parent()
        ctypes.CDLL(None).prctl(PR_SET_NAME, f"bos-{name}".encode()[:15], 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            )
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, output), (2, output)):
            os.dup2(source, target)
        os.closerange(3, HIGHEST_DESCRIPTOR)
        sys.stdout = open(1, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
        os.environ.clear()
        os.environ.update(environ)
        random.seed()
        code = _run(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _run(arguments: Sequence[str]) -> int:
    """The exit code of the program that the arguments of an interpreter name."""
    try:
        if arguments[0] == "-m":
            sys.argv = [arguments[1], *arguments[2:]]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = list(arguments)
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(ended.code + "\n")
            return 1
        return ended.code or 0
    return 0
