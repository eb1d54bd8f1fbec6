"""The engine's host with real PostgreSQL and Redis: acknowledged means committed, and nothing counts twice."""

from __future__ import annotations

import threading
import time

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core import clock
from apps.core.redis import redis_client
from apps.orders.engine.commands import NewOrder, encode
from apps.orders.errors import EngineRunsElsewhere, EngineSilent
from apps.orders.host import runner, session, shards
from apps.orders.host.delivery import Answer
from apps.orders.host.gate import inline_engine
from apps.orders.host.journal import verify
from apps.orders.host.runner import GROUP, StreamEngine
from apps.orders.host.units import to_us
from apps.orders.host.writing import Fenced
from apps.orders.models import EngineOffset, Execution, JournalEntry, Order, Position
from apps.orders.services import order_cancel
from tests.orders import floor
from tests.orders.engine_thread import running
from tests.orders.floor import holder_of, trades

pytestmark = pytest.mark.usefixtures("committed_market")

SHARD = "main"


@pytest.fixture
def account(committed_market):
    return floor.trading_account(funds="100000")


@pytest.fixture(autouse=True)
def stream_mode(settings, account):
    settings.ENGINE_MODE = "stream"


def answers(reply_to: str, count: int, seconds: float = 10) -> list[Answer]:
    found = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        answer = redis_client().blpop([reply_to], timeout=1)
        if answer:
            found.append(msgspec.msgpack.decode(answer[1], type=Answer))
    return found


def send(account, number: int, reply_to: str = "engine:reply:test", **fields) -> bytes:
    command = NewOrder(
        **{
            "at": to_us(clock.now()),
            "account": str(account.id),
            "client_order_id": f"s{number}",
            "symbol": "EURUSD",
            "side": 1,
            "order_type": "1",
            "steps": 1,
            **fields,
        }
    )
    return redis_client().xadd(
        shards.commands_stream(SHARD),
        {b"c": encode(command), b"r": reply_to, b"t": str(number)},
    )


def test_an_order_is_answered_after_it_is_in_the_database(account):
    with running():
        reply = trades(account, "buy", "0.10")
        assert reply.accepted
        order = Order.objects.get(pk=reply.order_id)
    assert (order.status, order.account_id) == ("2", account.id)
    assert Execution.objects.filter(order=order).count() == 1


def test_without_an_engine_the_caller_is_told_and_the_order_is_done_once_it_runs(account):
    with pytest.raises(EngineSilent):
        trades(account, "buy", "0.10", client_order_id="patient", wait=0.2)
    assert not Order.objects.exists()
    with running():
        reply = trades(account, "buy", "0.10", client_order_id="patient")
    assert reply.duplicate
    assert Order.objects.count() == 1
    assert Execution.objects.count() == 1


def test_a_restarted_engine_continues_where_it_was(account):
    with running():
        held = trades(account, "buy", "0.50")
        resting = trades(account, "buy", "0.10", limit="1.09000")
    with running():
        closed = trades(account, "sell", "0.20", position_id=held.position_id)
        assert closed.accepted
        cancelled = order_cancel(order_id=resting.order_id, actor=holder_of(account))
    assert cancelled.status == "4"
    assert [p.steps for p in Position.objects.all()] == [30]
    assert EngineOffset.objects.get().epoch == 3  # inline for the deposit, then two engines


def test_what_was_committed_but_not_acknowledged_is_answered_again_and_not_done_again(
    account, monkeypatch
):
    def dies_after_commit(*args, **kwargs):
        raise redis_error

    import redis as redis_module

    redis_error = redis_module.ConnectionError("gone after the commit")
    engine = StreamEngine(SHARD)
    monkeypatch.setattr(runner, "publish", dies_after_commit)
    monkeypatch.setattr(runner, "RETRY_AFTER", 60)
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    assert engine.ready.wait(20)
    send(account, 1)
    deadline = time.monotonic() + 10
    while not Order.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    engine.stop()
    thread.join(20)
    monkeypatch.undo()
    assert Execution.objects.count() == 1
    assert redis_client().llen("engine:reply:test") == 0
    assert redis_client().xpending(shards.commands_stream(SHARD), GROUP)["pending"] == 1

    with running():
        (answer,) = answers("engine:reply:test", 1)
    assert (answer.tag, answer.reply.status) == ("1", "2")
    assert Execution.objects.count() == 1
    assert redis_client().xpending(shards.commands_stream(SHARD), GROUP)["pending"] == 0


def test_what_was_read_but_not_committed_is_done_by_the_next_engine(account, monkeypatch):
    kept = session.Session._store

    def dies_before_commit(self, batch, last_stream_id):
        if any(number for number, _, _ in batch.log):
            raise OSError("gone before the commit")
        kept(self, batch, last_stream_id)

    monkeypatch.setattr(session.Session, "_store", dies_before_commit)
    monkeypatch.setattr(runner, "RETRY_AFTER", 60)
    engine = StreamEngine(SHARD)
    monkeypatch.setattr(
        StreamEngine, "_survive", lambda self, entries, error: (_ for _ in ()).throw(error)
    )
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    assert engine.ready.wait(20)
    send(account, 1)
    deadline = time.monotonic() + 10
    while not engine.last_error and time.monotonic() < deadline:
        time.sleep(0.02)
    engine.stop()
    thread.join(20)
    monkeypatch.undo()
    assert not Order.objects.exists()
    with running():
        (answer,) = answers("engine:reply:test", 1)
    assert answer.reply.ok
    assert Execution.objects.count() == 1


def test_a_command_that_breaks_the_engine_is_set_aside_and_its_neighbours_are_done(account):
    redis_client().xadd(
        shards.commands_stream(SHARD),
        {b"c": b"\xc1 no command", b"r": "engine:reply:bad", b"t": b"9"},
    )
    send(account, 1)
    with running():
        (good,) = answers("engine:reply:test", 1)
        (bad,) = answers("engine:reply:bad", 1)
    assert good.reply.ok
    assert (bad.reply.ok, bad.reply.code) == (False, "MALFORMED_COMMAND")
    assert redis_client().llen(shards.dead_list(SHARD)) == 1


def test_an_order_that_the_database_refuses_is_set_aside_alone(account, monkeypatch):
    from apps.orders.host import writing

    kept = writing.Writer._order_row

    def breaks(self, state, order):
        row = kept(self, state, order)
        return (*row[:4], None, *row[5:]) if order.client_order_id == "s2" else row

    monkeypatch.setattr(writing.Writer, "_order_row", breaks)
    for number in (1, 2, 3):
        send(account, number)
    with running():
        found = {a.tag: a.reply for a in answers("engine:reply:test", 3)}
    assert [found[tag].ok for tag in "123"] == [True, False, True]
    assert found["2"].code == "ENGINE_ERROR"
    assert sorted(Order.objects.values_list("client_order_id", flat=True)) == ["s1", "s3"]
    monkeypatch.undo()
    assert verify(SHARD).identical


def test_only_one_engine_writes(account):
    with running():
        second = StreamEngine(SHARD)
        thread = threading.Thread(target=second.run, daemon=True)
        thread.start()
        assert not second.ready.wait(1)
        second.stop()
        thread.join(10)
        with inline_engine(), pytest.raises(EngineRunsElsewhere):
            trades(account, "buy", "0.10")
    assert not Order.objects.exists()


def test_an_engine_whose_epoch_is_over_writes_nothing(account):
    stale = session.Session(SHARD)
    stale.start()
    EngineOffset.objects.update(epoch=EngineOffset.objects.get().epoch + 1)
    before = JournalEntry.objects.count()
    command = NewOrder(
        at=to_us(clock.now()),
        account=str(account.id),
        client_order_id="late",
        symbol="EURUSD",
        side=1,
        order_type="1",
        steps=1,
    )
    with pytest.raises(Fenced):
        stale.run([(0, command)])
    assert stale.state is None
    assert not Order.objects.exists()
    assert JournalEntry.objects.count() == before


def test_the_journal_replays_to_the_same_state_and_a_changed_row_is_found(account, capsys):
    with running():
        held = trades(account, "buy", "0.50")
        trades(account, "buy", "0.10", limit="1.09500")
        trades(account, "sell", "90.00")
        floor.price("EURUSD", "1.09400", "1.09410")
        deadline = time.monotonic() + 10
        while Execution.objects.count() < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        trades(account, "sell", "0.50", position_id=held.position_id)
    with running():
        trades(account, "sell", "0.30", "GBPUSD")
    call_command("replay_engine", "--verify")
    assert "0 answers differ" in capsys.readouterr().out
    Position.objects.filter(symbol="GBPUSD").update(cost=1)
    with pytest.raises(CommandError):
        call_command("replay_engine", "--verify")


def test_a_halted_engine_waits_and_a_resumed_one_goes_on(account):
    with running() as engine:
        engine.halt()
        time.sleep(0.1)
        send(account, 1)
        assert answers("engine:reply:test", 1, seconds=1) == []
        assert engine.status()["halted"]
        engine.resume()
        (answer,) = answers("engine:reply:test", 1)
    assert answer.reply.ok


def test_a_batch_is_one_transaction_and_one_journal_entry(account):
    for number in range(50):
        send(account, number)
    before = JournalEntry.objects.count()
    with running():
        found = answers("engine:reply:test", 50)
    assert sorted(int(a.tag) for a in found) == list(range(50))
    accepted = [a for a in found if a.reply.ok]
    assert len(accepted) == 20  # the house's limit of orders per second on one account
    entries = JournalEntry.objects.filter(number__gt=before, command_count__gte=50)
    assert entries.count() == 1
    assert Order.objects.count() == 50
    assert Execution.objects.count() == 20


def test_the_heartbeat_tells_that_the_engine_lives(account):
    with running():
        time.sleep(0.7)
        beat = float(redis_client().get(shards.heartbeat_key(SHARD)))
    assert beat == pytest.approx(clock.now().timestamp(), abs=0.01)


def test_it_survives_a_lost_database_connection(account):
    with running() as engine:
        assert trades(account, "buy", "0.10").accepted
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        reply = trades(account, "buy", "0.10", client_order_id="after", wait=20)
        assert reply.accepted
        assert engine.last_error
    assert Execution.objects.count() == 2
    assert verify(SHARD).identical


def test_an_engine_that_fails_between_commands_starts_over_and_answers(account, monkeypatch):
    kept = StreamEngine._take_quotes
    failures = []

    def fails_once(self):
        if not failures:
            failures.append("once")
            raise ArithmeticError("nobody thought of this")
        kept(self)

    monkeypatch.setattr(StreamEngine, "_take_quotes", fails_once)
    with running() as engine:
        reply = trades(account, "buy", "0.10", wait=20)
        assert reply.accepted
        assert "nobody thought of this" in engine.last_error
    assert Execution.objects.count() == 1
    assert verify(SHARD).identical
