"""The engine's loop: what waits in the stream → decide → one transaction → answers, acknowledgement.

One thread of one Celery worker per shard. A session-level advisory lock makes it the single writer, the epoch in the
offset row fences off a predecessor that does not know yet that it lost the lock. Whatever fails, nothing that was not
committed is ever answered: the state is thrown away, loaded again, and the entries still pending are read again.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import redis
from django.db import InterfaceError, OperationalError, connection

from apps.core import clock
from apps.core.redis import redis_client
from apps.market.quotes import LAST, STREAM, unpack_raw
from apps.orders.engine.commands import Command, Quotes, decode
from apps.orders.engine.result import Reply
from apps.orders.host import shards
from apps.orders.host.delivery import Answer, publish
from apps.orders.host.journal import answer_given
from apps.orders.host.reference import reference_changes
from apps.orders.host.session import Fenced, Session
from apps.orders.host.units import stream_number, to_us

log = logging.getLogger(__name__)

GROUP = "engine"
CONSUMER = "engine"
BATCH = 500
BLOCK_MS = 20
QUOTE_BATCH = 5000
HEARTBEAT_EVERY = 0.5
HEARTBEAT_TTL = 5
REFERENCE_EVERY = 30.0
TRIM_EVERY = 10.0
RETRY_AFTER = 0.5
LOCK_RETRY = 0.5


class Waiting(msgspec.Struct):
    """One entry of the stream, unpacked."""

    stream_id: bytes
    number: int
    command: Command | None
    reply_to: str
    tag: str
    packed: bytes


class StreamEngine:
    """The engine of one shard. `run` blocks until `stop`."""

    def __init__(self, shard: str, client: redis.Redis | None = None) -> None:
        self.shard = shard
        self.redis = client or redis_client()
        self.session = Session(shard)
        self.ready = threading.Event()
        self._stopping = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._quotes_from = "$"
        self._single = 0
        self._beat_at = 0.0
        self._reference_at = 0.0
        self._trim_at = 0.0
        self.handled = 0
        self.set_aside = 0
        self.last_error = ""
        self._figures: dict[Any, int] = {"batches": 0, "batch_max": 0, "batch_us_max": 0}

    # control

    def stop(self) -> None:
        self._stopping.set()
        self._running.set()

    def halt(self) -> None:
        """Take no more commands; what was read is finished first."""
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def status(self) -> dict[str, Any]:
        offset = self.session.offset
        return {
            "shard": self.shard,
            "ready": self.ready.is_set(),
            "halted": not self._running.is_set(),
            "epoch": offset.epoch,
            "journal": offset.journal,
            "last_stream_id": offset.last_stream_id,
            "handled": self.handled,
            "last_error": self.last_error,
        }

    # the loop

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take_over()
                self._work()
            except Fenced:
                log.error("another engine took over", extra={"shard": self.shard})
                self.last_error = "fenced"
            except (OperationalError, InterfaceError, redis.RedisError, OSError) as error:
                log.warning("engine starts over", extra={"shard": self.shard, "error": repr(error)})
                self.last_error = repr(error)
            except Exception as error:  # a dead thread would leave every order without an answer
                log.exception("engine failed and starts over", extra={"shard": self.shard})
                self.last_error = repr(error)
            finally:
                self.ready.clear()
                self.session.forget()
                connection.close()
            self._stopping.wait(RETRY_AFTER)

    def _take_over(self) -> None:
        """Become the single writer, rebuild the state, bring the reference data up to date."""
        while not self._stopping.is_set():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [shards.lock_key(self.shard)])
                if cursor.fetchone()[0]:
                    break
            self._stopping.wait(LOCK_RETRY)
        if self._stopping.is_set():
            return
        self.session.start()
        self._make_group()
        self._quotes_from = self._quotes_now()
        self._reference_at = time.monotonic() + REFERENCE_EVERY
        gc.collect()
        gc.freeze()

    def _make_group(self) -> None:
        try:
            self.redis.xgroup_create(
                shards.commands_stream(self.shard), GROUP, id="0", mkstream=True
            )
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _quotes_now(self) -> str:
        """Take the last quote of every instrument; returns from where on the stream goes."""
        newest = self.redis.xrevrange(STREAM, count=1)
        rows = tuple(
            unpack_raw(packed)[:4] for _, packed in sorted(self.redis.hgetall(LAST).items())
        )
        if rows:
            self.session.apply_quotes(Quotes(at=to_us(clock.now()), rows=rows))
        return newest[0][0].decode() if newest else "0-0"

    def _work(self) -> None:
        self._recover()
        self.ready.set()
        while not self._stopping.is_set():
            self._heartbeat()
            if not self._running.is_set():
                self._stopping.wait(BLOCK_MS / 1000)
                continue
            self._upkeep()
            waiting = self._read(">")
            self._take_quotes()
            if waiting:
                self._handle(waiting)

    def _recover(self) -> None:
        """Entries that were read but not acknowledged: answer again what is committed, do the rest."""
        while not self._stopping.is_set():
            waiting = self._read("0")
            if not waiting:
                return
            self._handle(waiting)

    def _read(self, start: str) -> list[Waiting]:
        count = 1 if self._single else BATCH
        block = BLOCK_MS if start == ">" else None
        try:
            answer = self.redis.xreadgroup(
                GROUP,
                CONSUMER,
                {shards.commands_stream(self.shard): start},
                count=count,
                block=block,
            )
        except redis.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group()  # Redis came back empty
            return []
        if not answer:
            return []
        return [_unpack(stream_id, fields) for stream_id, fields in answer[0][1]]

    def _take_quotes(self) -> None:
        answer = self.redis.xread({STREAM: self._quotes_from}, count=QUOTE_BATCH)
        if not answer:
            return
        entries = answer[0][1]
        self._quotes_from = entries[-1][0].decode()
        latest = {}
        for _, fields in entries:
            row = unpack_raw(fields[b"q"])[:4]
            latest[row[0]] = row
        quotes = Quotes(at=to_us(clock.now()), rows=tuple(latest.values()))
        if self.session.apply_quotes(quotes):
            outcome = self.session.flush_quotes()
            if outcome is not None:
                publish(self.redis, self.shard, outcome)

    def _handle(self, waiting: Sequence[Waiting]) -> None:
        """Answer what is committed already, decide the rest; a command that breaks the engine is set aside."""
        committed = stream_number(self.session.offset.last_stream_id)
        fresh = [entry for entry in waiting if entry.number > committed]
        for entry in waiting:
            if entry.number <= committed:
                self._answer_again(entry)
        sound = [entry for entry in fresh if entry.command is not None]
        for entry in fresh:
            if entry.command is None:
                self._set_aside(entry, "MALFORMED_COMMAND")
        if not sound:
            return
        began = time.perf_counter_ns()
        try:
            outcome = self.session.run(
                [(entry.number, entry.command) for entry in sound if entry.command is not None],
                last_stream_id=sound[-1].stream_id.decode(),
            )
        except (Fenced, OperationalError, InterfaceError):
            raise
        except Exception as error:
            self._survive(sound, error)
            return
        publish(
            self.redis,
            self.shard,
            outcome,
            reply_to=[(entry.reply_to, entry.tag) for entry in sound],
            acknowledged=[entry.stream_id for entry in sound],
            group=GROUP,
        )
        self.handled += len(sound)
        self._measure(len(sound), (time.perf_counter_ns() - began) // 1000)
        self._single = max(self._single - 1, 0)

    def _survive(self, entries: Sequence[Waiting], error: Exception) -> None:
        """Find the command that cannot be decided or stored: one by one, and set it aside when it is alone."""
        log.error(
            "engine batch failed", extra={"shard": self.shard, "size": len(entries)}, exc_info=error
        )
        self.last_error = repr(error)
        self.session.start()
        self._quotes_now()
        if len(entries) == 1:
            self._set_aside(entries[0], "ENGINE_ERROR")
            return
        self._single = len(entries)
        for entry in entries:
            self._handle([entry])

    def _set_aside(self, entry: Waiting, code: str) -> None:
        self.set_aside += 1
        pipe = self.redis.pipeline(transaction=False)
        pipe.rpush(shards.dead_list(self.shard), entry.packed)
        if entry.reply_to:
            answer = Answer(entry.tag, Reply(ok=False, code=code))
            pipe.rpush(entry.reply_to, msgspec.msgpack.encode(answer))
            pipe.expire(entry.reply_to, 60)
        pipe.xack(shards.commands_stream(self.shard), GROUP, entry.stream_id)
        pipe.execute()
        log.error("command set aside", extra={"shard": self.shard, "code": code})

    def _answer_again(self, entry: Waiting) -> None:
        reply = answer_given(self.shard, entry.number)
        pipe = self.redis.pipeline(transaction=False)
        if entry.reply_to and reply is not None:
            pipe.rpush(entry.reply_to, msgspec.msgpack.encode(Answer(entry.tag, reply)))
            pipe.expire(entry.reply_to, 60)
        pipe.xack(shards.commands_stream(self.shard), GROUP, entry.stream_id)
        pipe.execute()

    # upkeep

    def _heartbeat(self) -> None:
        """Say that it works, with the figures of the time since it last said so."""
        if time.monotonic() < self._beat_at:
            return
        self._beat_at = time.monotonic() + HEARTBEAT_EVERY
        offset = self.session.offset
        pipe = self.redis.pipeline(transaction=False)
        pipe.set(
            shards.heartbeat_key(self.shard), f"{clock.now().timestamp():.3f}", ex=HEARTBEAT_TTL
        )
        pipe.hset(
            shards.stats_key(self.shard),
            mapping={
                **self._figures,
                "handled": self.handled,
                "set_aside": self.set_aside,
                "journal": offset.journal,
                "epoch": offset.epoch,
            },
        )
        pipe.execute()
        self._figures["batch_max"] = self._figures["batch_us_max"] = 0

    def _measure(self, size: int, took_us: int) -> None:
        self._figures["batches"] += 1
        self._figures["batch_max"] = max(self._figures["batch_max"], size)
        self._figures["batch_us_max"] = max(self._figures["batch_us_max"], took_us)

    def _upkeep(self) -> None:
        tick = time.monotonic()
        if tick >= self._reference_at:
            self._reference_at = tick + REFERENCE_EVERY
            state = self.session.state
            changes = list(reference_changes(state)) if state is not None else []
            if changes:
                self.session.run([(0, change) for change in changes])
        if tick >= self._trim_at:
            self._trim_at = tick + TRIM_EVERY
            self.redis.xtrim(
                shards.commands_stream(self.shard),
                minid=self.session.offset.last_stream_id,
                approximate=True,
            )


def _unpack(stream_id: bytes, fields: dict[bytes, bytes]) -> Waiting:
    packed = fields.get(b"c", b"")
    command: Command | None
    try:
        command = decode(packed)
    except (msgspec.DecodeError, msgspec.ValidationError):
        command = None
    return Waiting(
        stream_id=stream_id,
        number=stream_number(stream_id),
        command=command,
        reply_to=fields.get(b"r", b"").decode(),
        tag=fields.get(b"t", b"").decode(),
        packed=packed,
    )
