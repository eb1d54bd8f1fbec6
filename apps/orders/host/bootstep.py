"""The engine thread as a part of the Celery worker that consumes its queue, started, stopped and controlled with it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps
from celery.worker.control import control_command, inspect_command

if TYPE_CHECKING:
    from apps.orders.host.runner import StreamEngine

log = logging.getLogger(__name__)

QUEUE_PREFIX = "engine."
STOP_SECONDS = 10
_engines: dict[str, StreamEngine] = {}


class EngineStep(bootsteps.StartStopStep):
    """Runs one engine thread for each `engine.<shard>` queue of this worker; a worker without one gets nothing."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        queues = list(parent.app.amqp.queues.consume_from)
        self.shards = [q.removeprefix(QUEUE_PREFIX) for q in queues if q.startswith(QUEUE_PREFIX)]
        self.threads: list[threading.Thread] = []

    def start(self, parent: Any) -> None:
        from apps.orders.host.runner import (
            StreamEngine,  # needs Django, which the worker has set up by now
        )

        for shard in self.shards:
            engine = _engines[shard] = StreamEngine(shard)
            thread = threading.Thread(target=engine.run, name=f"engine.{shard}", daemon=True)
            thread.start()
            self.threads.append(thread)
            log.info("engine started", extra={"shard": shard})

    def stop(self, parent: Any) -> None:
        for engine in _engines.values():
            engine.stop()
        for thread in self.threads:
            thread.join(STOP_SECONDS)
        self.threads.clear()

    def terminate(self, parent: Any) -> None:
        self.stop(parent)


@inspect_command(args=[], signature="")
def engine_status(state: Any, **kwargs: Any) -> list[dict[str, Any]]:
    """Where the engines of this worker stand."""
    return [engine.status() for engine in _engines.values()]


@control_command(args=[("shard", str)], signature="<shard>")
def engine_halt(state: Any, shard: str, **kwargs: Any) -> dict[str, Any]:
    """Stop taking commands."""
    return _controlled(shard, "halt")


@control_command(args=[("shard", str)], signature="<shard>")
def engine_resume(state: Any, shard: str, **kwargs: Any) -> dict[str, Any]:
    """Take commands again."""
    return _controlled(shard, "resume")


def _controlled(shard: str, action: str) -> dict[str, Any]:
    engine = _engines.get(shard)
    if engine is None:
        return {"error": f"no engine of shard {shard} here"}
    getattr(engine, action)()
    return {"ok": engine.status()}


def install(app: Celery) -> None:
    """Let workers of this application host engines."""
    app.steps["worker"].add(EngineStep)
