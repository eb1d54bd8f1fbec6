"""Runs several processes as one: readable output, restart with growing pauses, one clean end.

A process that ends is started again after 1, 2, 4 … 30 s (back to 1 s once it ran for a minute), and the output says
so. Ending sends SIGTERM to every process group, waits, then kills what is left. On Linux the children also end when
the supervisor itself is killed.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from brokeros.processes import Process
from brokeros.spawning import Running, Spawn, spawn_program

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
END_TIMEOUT_S = 12.0
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95)


class Console:
    """Lines with the name of who wrote them, in colour on a terminal."""

    def __init__(self, stream: IO[str], names: Sequence[str]) -> None:
        self._stream = stream
        self._width = max((len(name) for name in names), default=0)
        self._colours = dict(zip(names, COLOURS * 2, strict=False))
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} | "
        if self._coloured:
            prefix = f"\033[{self._colours.get(name, 1)}m{prefix}\033[0m"
        self.plain(prefix + text)

    def plain(self, text: str) -> None:
        """Writing goes on silently when nobody reads any more: the children must still be ended."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._stream.write(text + "\n")
            self._stream.flush()


@dataclass
class Child:
    """One supervised process over its restarts."""

    process: Process
    running: Running | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    restarts: int = 0
    unfinished_line: bytes = field(default=b"", repr=False)


class Supervisor:
    """The processes of an installation under one parent."""

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        environ: Mapping[str, str],
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        spawn: Spawn = spawn_program,
    ) -> None:
        self.children = {process.name: Child(process) for process in processes}
        self._environ = dict(environ)
        self._console = console
        self._clock = clock
        self._spawn = spawn
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        for child in self.children.values():
            self._launch(child)

    def turn(self, timeout_s: float = 0.5) -> None:
        """One round: pass output on, notice who ended, start who is due."""
        for key, _ in self._selector.select(timeout_s):
            self._read(key.data)
        for child in self.children.values():
            if child.running is not None and child.running.poll() is not None:
                self._ended(child)
            elif child.running is None and self._clock() >= child.restart_at:
                child.restarts += 1
                self._launch(child)

    def stop(self, timeout_s: float = END_TIMEOUT_S) -> None:
        """End all of them; returns when none is left."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while self._alive() and time.monotonic() < deadline:
            for key, _ in self._selector.select(0.1):
                self._read(key.data)
        for child in self._alive():
            self._console.line(
                child.process.name, f"did not end within {timeout_s:.0f} s and is killed"
            )
        self._signal(signal.SIGKILL)
        for child in self.children.values():
            if child.running is not None:
                child.running.wait()
                self._drain(child)
                child.running = None

    def pids(self) -> dict[str, int]:
        return {name: child.running.pid for name, child in self.children.items() if child.running}

    def _alive(self) -> list[Child]:
        return [
            child
            for child in self.children.values()
            if child.running and child.running.poll() is None
        ]

    def _signal(self, number: signal.Signals) -> None:
        for child in self._alive():
            if child.running is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.running.pid, number)

    def _launch(self, child: Child) -> None:
        child.running = self._spawn(
            child.process.name,
            child.process.arguments(sys.executable, self._environ)[1:],
            self._environ,
        )
        child.started_at = self._clock()
        child.unfinished_line = b""
        output = child.running.stdout
        if output is not None:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ, child)

    def _ended(self, child: Child) -> None:
        ended = child.running
        if ended is None or ended.returncode is None:
            return
        self._drain(child)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ended.pid, signal.SIGKILL)
        if self._clock() - child.started_at >= STEADY_AFTER_S:
            child.pause_s = FIRST_PAUSE_S
        self._console.line(
            child.process.name,
            f"ended {_cause(ended.returncode)}; starts again in {child.pause_s:.0f} s",
        )
        child.running = None
        child.restart_at = self._clock() + child.pause_s
        child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)

    def _read(self, child: Child) -> None:
        output = child.running.stdout if child.running else None
        if output is None:
            return
        chunk = output.read(65536)
        if chunk is None:
            return
        if not chunk:
            self._forget(output)
            return
        *lines, child.unfinished_line = (child.unfinished_line + chunk).split(b"\n")
        for line in lines:
            self._say(child, line.decode(errors="replace"))

    def _drain(self, child: Child) -> None:
        """What an ended process still had to say, an unfinished line included."""
        output = child.running.stdout if child.running else None
        if output is None or output.closed:
            return
        rest = child.unfinished_line + (output.read() or b"")
        child.unfinished_line = b""
        for line in rest.decode(errors="replace").splitlines():
            self._say(child, line)
        self._forget(output)

    def _say(self, child: Child, line: str) -> None:
        if line.strip():
            self._console.line(child.process.name, line.rstrip())

    def _forget(self, output: IO[bytes]) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(output)
        output.close()


def _cause(code: int) -> str:
    if code < 0:
        return f"by signal {signal.Signals(-code).name}"
    return f"with exit code {code}"
