"""Reading the journal: what was answered, and the same commands again in a fresh engine."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from apps.orders.engine import State, decide
from apps.orders.engine.commands import AnyCommand, Command
from apps.orders.engine.result import Reply
from apps.orders.host import shards
from apps.orders.models import JournalEntry

Logged = tuple[int, AnyCommand, Reply | None]
_decode = msgspec.msgpack.Decoder(list[Logged]).decode


def answer_given(shard: str, number: int) -> Reply | None:
    """The committed answer to the stream entry with this number."""
    entry = (
        JournalEntry.objects.filter(
            shard=shard, last_stream_id__gte=number, first_stream_id__lte=number
        )
        .order_by("last_stream_id")
        .first()
    )
    if entry is None:
        return None
    for logged, _, reply in _decode(bytes(entry.entries)):
        if logged == number:
            return reply
    return None


def logged_commands(shard: str) -> Iterator[tuple[Command, Reply | None]]:
    """Every command of a shard with its answer, in the order in which it was decided."""
    rows = JournalEntry.objects.filter(shard=shard).order_by("number")
    for entries in rows.values_list("entries", flat=True).iterator(chunk_size=200):
        for _, command, reply in _decode(bytes(entries)):
            yield command, reply


def replay(shard: str) -> tuple[State, int, list[str]]:
    """(state after all commands, how many there were, answers that came out differently)."""
    state = State(first_id=shards.first_id(shard))
    count = 0
    different: list[str] = []
    for command, reply in logged_commands(shard):
        result = decide(state, command)
        count += 1
        if reply is not None and result.reply != reply:
            different.append(f"{type(command).__name__} #{count}: {reply} ≠ {result.reply}")
    return state, count, different
