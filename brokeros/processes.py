"""The processes of an installation, in one table: the supervisor, the compose file and the documentation follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MANAGE = ("python", "manage.py")
CELERY = ("python", "-m", "celery", "--quiet", "-A", "brokeros")


@dataclass(frozen=True, slots=True)
class Process:
    """One long-running process. ``command`` starts with ``python``: the interpreter of whoever runs it."""

    name: str
    purpose: str
    command: tuple[str, ...]
    demo_only: bool = False

    def arguments(self, python: str, environ: Mapping[str, str]) -> list[str]:
        """The command with the interpreter and the address filled in."""
        values = {
            "host": environ.get("HOST", "127.0.0.1"),
            "port": environ.get("PORT", "8000"),
        }
        return [python, *(part.format(**values) for part in self.command[1:])]


PROCESSES: tuple[Process, ...] = (
    Process(
        "web",
        "pages, API and live updates",
        (
            *(
                "python",
                "-m",
                "uvicorn",
                "brokeros.asgi:application",
                "--host",
                "{host}",
                "--port",
                "{port}",
            ),
            *("--no-access-log", "--lifespan", "off", "--log-level", "warning"),
        ),
    ),
    Process(
        "engine",
        "the order engine of shard main",
        (
            *(*CELERY, "worker", "-P", "solo", "-Q", "engine.main", "-n", "engine.main@%h"),
            *("--without-gossip", "--without-mingle", "--loglevel", "warning"),
        ),
    ),
    Process(
        "worker",
        "reactions to events, e-mail, scheduled work",
        (
            *(*CELERY, "worker", "-P", "threads", "-c", "4", "-Q", "default", "-n", "worker@%h"),
            *("--without-gossip", "--without-mingle", "--loglevel", "warning"),
        ),
    ),
    Process(
        "beat",
        "the clock of scheduled work",
        (*CELERY, "beat", "--loglevel", "warning", "--pidfile="),
    ),
    Process("relay", "carries committed events to the workers", (*MANAGE, "relay")),
    Process("feed", "quotes from the price sources", (*MANAGE, "feed")),
    Process("exposure", "live exposure of the house", (*MANAGE, "publish_exposure")),
    Process("gateway", "orders to the liquidity venues and back", (*MANAGE, "venue_gateway")),
    Process(
        "simulators",
        "payment provider, trading platform and liquidity providers to try things with",
        (*MANAGE, "simulators"),
        demo_only=True,
    ),
)
