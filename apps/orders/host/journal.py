"""Reading the journal: what was answered, and the same commands again in a fresh engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from django.db import connection, transaction

from apps.orders.engine import State, decide
from apps.orders.engine.commands import AnyCommand, Command
from apps.orders.engine.decide import VENUE_MEMORY_US
from apps.orders.engine.result import Reply
from apps.orders.host import shards
from apps.orders.host.loading import load_state
from apps.orders.models import EngineOffset, JournalEntry

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


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found. `differences` name the parts of the state that differ."""

    shard: str
    commands: int
    replayed_digest: str
    stored_digest: str
    differences: tuple[str, ...]
    different_answers: tuple[str, ...]

    @property
    def identical(self) -> bool:
        return self.replayed_digest == self.stored_digest and not self.different_answers


def verify(shard: str) -> ReplayReport:
    """Replay the journal and compare with the tables, both read at one instant."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            if not connection.savepoint_ids:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        offset = EngineOffset.objects.filter(pk=shard).first() or EngineOffset(shard=shard)
        stored = load_state(offset)
        replayed, count, answers = replay(shard)
    stored.prune(stored.day_ended_at - VENUE_MEMORY_US)
    return ReplayReport(
        shard=shard,
        commands=count,
        replayed_digest=replayed.digest(),
        stored_digest=stored.digest(),
        differences=tuple(_differences(stored, replayed)),
        different_answers=tuple(answers),
    )


def _differences(stored: State, replayed: State) -> Iterator[str]:
    for name in ("orders", "children", "kill_switches", "instruments", "client_order_ids"):
        left, right = getattr(stored, name), getattr(replayed, name)
        for key in sorted(set(left) | set(right), key=str):
            if left.get(key) != right.get(key):
                yield f"{name} {key}: stored {left.get(key)}, replayed {right.get(key)}"
    for name in sorted(set(stored.accounts) | set(replayed.accounts)):
        mine, theirs = stored.accounts.get(name), replayed.accounts.get(name)
        if mine is None or theirs is None:
            yield f"account {name} is missing on one side"
        elif (mine.balance, mine.positions, mine.version) != (
            theirs.balance,
            theirs.positions,
            theirs.version,
        ):
            yield f"account {name}: stored {mine.balance}, replayed {theirs.balance}"
    for name in ("next_id", "sequence", "epoch", "day_ended_at", "seen", "policy", "exponents"):
        if getattr(stored, name) != getattr(replayed, name):
            yield f"{name} differs"
