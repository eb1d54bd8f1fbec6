"""Server processes that outlive their starter: started detached, awaited until they answer, recognised, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


class EmbeddedError(RuntimeError):
    """An embedded server cannot run here; the message is one sentence that says why."""


def detached(log: Path) -> dict[str, Any]:
    """Options for a server that outlives its starter and takes no signals from its terminal."""
    return {
        "stdin": subprocess.DEVNULL,
        "stdout": log.open("ab"),
        "stderr": subprocess.STDOUT,
        "start_new_session": True,
        "cwd": "/",
    }


def await_answer(
    name: str, server: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if answers():
            return
        if server.poll() is not None:
            raise EmbeddedError(f"{name} did not start: {last_line(tail(log))}")
        time.sleep(0.05)
    server.kill()
    raise EmbeddedError(f"{name} did not answer within {START_TIMEOUT_S:.0f} s; see {log}.")


def end(pid: int, signals: tuple[signal.Signals, ...]) -> None:
    for number in signals:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            reap(pid)
            if not command_of(pid):
                return
            time.sleep(0.05)


def reap(pid: int) -> None:
    """Collect an ended server if it is this process's own child, so that it is not taken for a live one."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def collect(pid: int, timeout_s: float = 5.0) -> None:
    """Wait for the end of a process that was killed; returns at once for one that lives or never was."""
    deadline = time.monotonic() + timeout_s
    while psutil.pid_exists(pid) and not command_of(pid) and time.monotonic() < deadline:
        reap(pid)
        time.sleep(0.02)


def command_of(pid: int) -> str:
    """Command line of a live process, empty for none (and for one that ended and was not collected)."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""


def last_line(text: str) -> str:
    """The line that tells the cause: the last FATAL or error, or simply the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    causes = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (causes or lines or ["no reason was given"])[-1]


def is_world_traversable(path: Path) -> bool:
    """Whether an account that is neither owner nor group can reach what lies in ``path``."""
    existing = path
    while not existing.exists():
        existing = existing.parent
    return all(folder.stat().st_mode & 0o001 for folder in (existing, *existing.parents))
