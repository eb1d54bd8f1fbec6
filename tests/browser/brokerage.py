"""A whole brokerage of its own for the browser tests: every process of the demo, in a scratch home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from brokeros.embedded import BASE_DIR
from brokeros.simulators import SIMULATORS

READY_WITHIN_S = 420


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Brokerage:
    """`python -m brokeros.demo` on free ports. `BROKEROS_BROWSER_URL` names one that already runs instead."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = os.environ.get("BROKEROS_BROWSER_URL", "").rstrip("/")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises `RuntimeError` with the end of the log when it does not become ready."""
        if self.url:
            return
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "BROKEROS_TEST_DB"}
        }
        environ = {
            **kept,
            "BROKEROS_HOME": str(self.home),
            "BROKEROS_AROUND_THE_CLOCK": "1",
            "DJANGO_SETTINGS_MODULE": "brokeros.settings.demo",
            "PORT": str(port),
            "PUBLIC_URL": self.url,
            **{simulator.port_setting: str(free_port()) for simulator in SIMULATORS},
        }
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "brokeros.demo", "--port", str(port)],
                cwd=BASE_DIR,
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await_ready()

    @property
    def log(self) -> Path:
        self.home.mkdir(parents=True, exist_ok=True)
        return self.home / "browser-tests.log"

    def stop(self) -> None:
        """Ends it as Ctrl-C would, and whatever is left of it by force."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _await_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        tail = self.log.read_text("utf-8", "replace")[-4000:]
        self.stop()
        raise RuntimeError(f"the brokerage for the browser tests did not become ready:\n{tail}")
