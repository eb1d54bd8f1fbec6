"""A whole brokerage with real processes in a scratch home, whose processes a test can kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis

from brokeros import embedded
from brokeros.simulators import SIMULATORS
from tests.browser.brokerage import free_port

READY_WITHIN_S = 240
KEPT_OUT = {"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "BROKEROS_TEST_DB", "BROKEROS_ENGINE_MODE"}


class House:
    """`python -m brokeros.demo --empty` on free ports, and a person's program that uses its services."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        kept = {name: value for name, value in os.environ.items() if name not in KEPT_OUT}
        self.environ = {
            **kept,
            "BROKEROS_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "brokeros.settings.demo",
            "PORT": str(self.port),
            "BROKEROS_RESEND_AFTER_S": "3",
            **{simulator.port_setting: str(free_port()) for simulator in SIMULATORS},
        }
        self._demo: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._demo = subprocess.Popen(
                [sys.executable, "-m", "brokeros.demo", "--empty", "--port", str(self.port)],
                cwd=embedded.BASE_DIR,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.await_ready()

    def stop(self) -> None:
        if self._demo is not None:
            self._demo.send_signal(signal.SIGINT)
            try:
                self._demo.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self._demo.pid, signal.SIGKILL)
        embedded.erase(self.home)

    @property
    def log(self) -> Path:
        return self.home / "faults.log"

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")[-4000:]

    def await_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            assert self._demo is not None
            assert self._demo.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.3)

    def pid(self, name: str) -> int | None:
        """Process id of one process or server, None while it is down."""
        if name == "postgres":
            return embedded.postgres_pid(self.home)
        if name == "redis":
            return embedded.redis_pid(self.home)
        assert self._demo is not None
        for child in psutil.Process(self._demo.pid).children():
            if child.name() == f"bos-{name}" and child.status() != psutil.STATUS_ZOMBIE:
                return child.pid
        return None

    def kill(self, name: str) -> int:
        """kill -9 of one process; returns the id that it had."""
        deadline = time.monotonic() + 60
        while (pid := self.pid(name)) is None:
            assert time.monotonic() < deadline, f"{name} is not there to be killed\n{self.said()}"
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        return pid

    def forget_redis(self) -> None:
        """Everything in Redis is gone at once, as after a restart without its files: queues, hints, prices."""
        client = redis.Redis.from_url(embedded.redis_url(self.home))
        client.flushall()
        client.close()

    def await_restarted(self, name: str, killed: int) -> None:
        """Until the supervisor has started it again and everything is ready."""
        deadline = time.monotonic() + 60
        while self.pid(name) in (None, killed):
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        self.await_ready()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


class Person:
    """A program that uses the house as people do: it repeats what was not acknowledged, with the same id."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.person"],
            cwd=embedded.BASE_DIR,
            env={**house.environ, "BROKEROS_LOG_LEVEL": "CRITICAL"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def does(self, what: str, **values: Any) -> Any:
        """One thing, and its outcome."""
        return list(self.goes_on(what, **values))[-1]

    def goes_on(self, what: str, **values: Any) -> Iterator[Any]:
        """One thing that takes a while: each acknowledgement as it arrives, the outcome last."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps({"what": what, **values}) + "\n")
        self._program.stdin.flush()
        for line in self._program.stdout:
            answer = json.loads(line)
            assert "failed" not in answer, f"{answer['failed']}\n{self._house.said()}"
            if "outcome" in answer:
                yield answer["outcome"]
                return
            yield answer["acknowledged"]
        raise AssertionError(f"the person's program ended\n{self._house.said()}")

    def leaves(self) -> None:
        self._program.kill()
        self._program.wait()
        for stream in (self._program.stdin, self._program.stdout):
            if stream is not None:
                stream.close()
