"""The same engine inside the caller's process and transaction: for tests and generated history.

Decisions, rows, journal and replies are those of the real host; only the stream and the thread are missing. It
refuses to run beside a real engine of the shard.
"""

from __future__ import annotations

from django.db import connection, transaction

from apps.core import clock
from apps.core.redis import redis_client
from apps.market.quotes import LAST, unpack_raw
from apps.orders.engine.commands import Command, Quotes
from apps.orders.engine.result import Reply
from apps.orders.errors import EngineRunsElsewhere
from apps.orders.host import shards
from apps.orders.host.delivery import publish
from apps.orders.host.reference import reference_changes
from apps.orders.host.session import Session
from apps.orders.host.units import to_us
from apps.orders.models import EngineOffset

_sessions: dict[str, Session] = {}


def run_inline(shard: str, command: Command) -> Reply:
    """Decide one command now, as part of the caller's transaction. Raises `EngineRunsElsewhere`."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [shards.lock_key(shard)])
            if not cursor.fetchone()[0]:
                raise EngineRunsElsewhere(shard=shard)
        session = _session(shard)
        session.apply_quotes(_latest_quotes(session, command))
        outcome = session.run([(0, command)])
    publish(redis_client(), shard, outcome)
    return outcome.replies[0]


def _session(shard: str) -> Session:
    """The session of this process, unless the database has moved on or back since."""
    session = _sessions.get(shard)
    stored = EngineOffset.objects.filter(pk=shard).first()
    if session is not None and session.state is not None and stored is not None:
        held = session.offset
        if (stored.epoch, stored.journal, stored.updated_at) == (
            held.epoch,
            held.journal,
            held.updated_at,
        ):
            return session
    session = _sessions[shard] = Session(shard)
    session.start()
    return session


def _latest_quotes(session: Session, command: Command) -> Quotes:
    """The last quote of each instrument, where it changed, none from after the command."""
    state = session.state
    rows = []
    for packed in redis_client().hgetall(LAST).values():
        symbol, bid, ask, at, _source = unpack_raw(packed)
        known = state.quotes.get(symbol) if state else None
        if known is None or known.at != at or known.bid != bid:
            rows.append((symbol, bid, ask, at))
    return Quotes(at=to_us(clock.now()), rows=tuple(sorted(rows)))


def take_in_changes(shard: str) -> None:
    """Tell the engine what changed in the apps below and which sessions come next, as the real host does by itself."""
    with transaction.atomic():
        state = _session(shard).state
        changes = list(reference_changes(state)) if state is not None else []
    for change in changes:
        run_inline(shard, change)
