"""A real engine for tests: its loop in a thread, on the test's own database and Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apps.orders.host.runner import StreamEngine


@contextmanager
def running(shard: str = "main") -> Iterator[StreamEngine]:
    """A real engine thread on the test's database and Redis."""
    engine = StreamEngine(shard)
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    try:
        assert engine.ready.wait(20), engine.last_error
        yield engine
    finally:
        engine.stop()
        thread.join(20)
        assert not thread.is_alive()
