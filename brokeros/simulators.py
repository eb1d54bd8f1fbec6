"""The outside world on one machine: every simulator is a separate HTTP server, all hosted in one process.

An app adds its simulator as one line: a name, where its `start(*, port, home, bind)` lives, and the setting
that names its port. `start` listens on `bind`, returns something with `shutdown()`, and must survive a restart
with what it had stored in `home`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol


class Running(Protocol):
    def shutdown(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Simulator:
    name: str
    start: str
    port_setting: str
    default_port: int

    def load(self) -> Callable[..., Running]:
        module, _, function = self.start.partition(":")
        loaded: Callable[..., Running] = getattr(import_module(module), function)
        return loaded


SIMULATORS = [
    Simulator(
        "platform", "apps.accounts.adapters.simulator:start", "SIMULATOR_PLATFORM_PORT", 8101
    ),
    Simulator("psp", "apps.payments.adapters.simulator:start", "SIMULATOR_PSP_PORT", 8102),
    Simulator(
        "lp-alpha", "apps.orders.adapters.venues.simulator:start_alpha", "LP_ALPHA_PORT", 8111
    ),
    Simulator(
        "lp-bravo", "apps.orders.adapters.venues.simulator:start_bravo", "LP_BRAVO_PORT", 8112
    ),
    Simulator(
        "lp-charlie", "apps.orders.adapters.venues.simulator:start_charlie", "LP_CHARLIE_PORT", 8113
    ),
]


def simulator_bind() -> str:
    """The address the simulators listen on: this machine alone unless `SIMULATOR_BIND` says otherwise."""
    return os.environ.get("SIMULATOR_BIND", "") or "127.0.0.1"


def simulator_home(root: Path, name: str) -> Path:
    """The folder in which one simulator keeps its state."""
    folder = root / "simulators" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
