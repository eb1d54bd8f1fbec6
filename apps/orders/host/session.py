"""A loaded engine: decides a batch in memory and stores it in one transaction, or forgets everything it thought."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction
from psycopg import Cursor

from apps.core import clock
from apps.orders.engine import State, decide
from apps.orders.engine.commands import Command, Quotes, Started
from apps.orders.engine.result import Reply, Result
from apps.orders.host.loading import load_state
from apps.orders.host.reference import reference_changes
from apps.orders.host.units import to_us
from apps.orders.host.writing import Batch, Fenced, Writer
from apps.orders.models import EngineOffset

Entry = tuple[
    int, Command
]  # (stream number, or 0 for what did not come through the stream; the command)


class Outcome:
    """What a stored batch means for the outside."""

    __slots__ = ("batch", "replies", "results")

    def __init__(self, batch: Batch, results: list[Result]) -> None:
        self.batch = batch
        self.results = results
        self.replies: list[Reply] = [result.reply or Reply(ok=False) for result in results]


class Session:
    """One shard's state with the writer that makes its decisions durable."""

    def __init__(self, shard: str) -> None:
        self.shard = shard
        self.writer = Writer(shard)
        self.state: State | None = None
        self.offset = EngineOffset(shard=shard)
        self._quiet_quotes: dict[str, tuple[str, int, int, int]] = {}

    def load(self) -> State:
        """Rebuild the state under a new epoch, which fences off whoever held the shard before."""
        self.writer.forget()
        self._quiet_quotes.clear()
        with transaction.atomic():
            EngineOffset.objects.get_or_create(
                shard=self.shard, defaults={"updated_at": clock.now()}
            )
            self.offset = EngineOffset.objects.select_for_update().get(pk=self.shard)
            self.offset.epoch += 1
            self.offset.save()
            self.state = load_state(self.offset)
        return self.state

    def start(self) -> None:
        """Load, announce the new epoch in the journal, and take in what changed in the apps below."""
        state = self.load()
        at = to_us(clock.now())
        self.run([(0, Started(at=at, epoch=self.offset.epoch))])
        changes = list(reference_changes(state))
        if changes:
            self.run([(0, change) for change in changes])

    def forget(self) -> None:
        """The decisions of a batch that could not be stored never happened."""
        self.state = None
        self.writer.forget()

    def apply_quotes(self, quotes: Quotes) -> bool:
        """Whether these quotes must be stored now, because something is triggered by them.

        Quotes that trigger nothing are only kept; they enter the journal before the next command that could look at
        them. Merged that way they leave the same state, because a resting order depends on its own symbol alone.
        """
        state = self._loaded()
        for row in quotes.rows:
            self._quiet_quotes[row[0]] = row
        return any(state.resting.get(row[0]) for row in quotes.rows)

    def run(self, entries: Sequence[Entry], *, last_stream_id: str = "") -> Outcome:
        """Decide and store. On any error the state is dropped and the error raised; the caller loads again."""
        state = self._loaded()
        batch = Batch(state)
        results: list[Result] = []
        try:
            if self._quiet_quotes:
                at = max([to_us(clock.now()), *(row[3] for row in self._quiet_quotes.values())])
                quotes = Quotes(at=at, rows=tuple(self._quiet_quotes.values()))
                batch.add(quotes, decide(state, quotes))
            for number, command in entries:
                result = decide(state, command)
                results.append(result)
                batch.add(command, result, number)
            self._store(batch, last_stream_id or self.offset.last_stream_id)
        except BaseException:
            self.forget()
            raise
        self._quiet_quotes.clear()
        return Outcome(batch, results)

    def flush_quotes(self) -> Outcome | None:
        """Store waiting quotes together with what they trigger."""
        return self.run([]) if self._quiet_quotes else None

    def _store(self, batch: Batch, last_stream_id: str) -> None:
        number = self.offset.journal + 1
        at = clock.now()
        with transaction.atomic():
            connection.ensure_connection()
            with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
                self.writer.write(
                    cursor, batch, journal=number, last_stream_id=last_stream_id, at=at
                )
        self.offset.journal = number
        self.offset.last_stream_id = last_stream_id
        self.offset.updated_at = at

    def _loaded(self) -> State:
        if self.state is None:
            raise RuntimeError("the engine's state is not loaded")
        return self.state


__all__ = ["Entry", "Fenced", "Outcome", "Session"]
