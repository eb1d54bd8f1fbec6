"""What happens after the commit, and may be lost: answers, instructions for the gateway, deltas for live screens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import redis

from apps.orders.adapters.protocol import ChildInstruction, InstructionKind
from apps.orders.engine.result import ChildWish, Reply
from apps.orders.engine.state import State
from apps.orders.host import shards
from apps.orders.host.session import Outcome

REPLY_TTL_SECONDS = 60
OUT_STREAM_LENGTH = 100_000

_pack = msgspec.msgpack.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    """A reply on its way to whoever asked; `tag` is theirs."""

    tag: str
    reply: Reply


def instruction_of(state: State, shard: str, wish: ChildWish) -> ChildInstruction:
    """A child order in words that a venue adapter understands."""
    child = wish.child
    spec = state.instruments[child.symbol]
    return ChildInstruction(
        kind=InstructionKind(wish.kind),
        shard=shard,
        child_id=child.id,
        client_order_id=f"C{child.id}",
        venue=child.venue,
        symbol=child.symbol,
        side=child.side,
        steps=child.steps,
        lots=_lots(child.steps, spec.lot_num, spec.lot_den),
        limit_points=child.limit_price,
        limit_price=_decimal(child.limit_price, spec.digits),
        time_in_force=child.tif,
        created_us=child.created_at,
    )


def _lots(steps: int, num: int, den: int) -> str:
    return str(Decimal(steps * num) / den)


def _decimal(points: int, digits: int) -> str:
    return str(Decimal(points).scaleb(-digits))


def publish(
    client: redis.Redis,
    shard: str,
    outcome: Outcome,
    *,
    reply_to: Sequence[tuple[str, str]] = (),
    acknowledged: Sequence[bytes] = (),
    group: str = "",
) -> None:
    """Answer, instruct, announce, acknowledge: one round trip."""
    state = outcome.batch.state
    pipe = client.pipeline(transaction=False)
    answers: Mapping[str, list[bytes]] = defaultdict(list)
    for (target, tag), reply in zip(reply_to, outcome.replies, strict=False):
        if target:
            answers[target].append(_pack(Answer(tag, reply)))
    for target, packed in answers.items():
        pipe.rpush(target, *packed)
        pipe.expire(target, REPLY_TTL_SECONDS)
    for wish in outcome.batch.instructions:
        pipe.xadd(
            shards.instructions_stream(shard),
            {b"c": _pack(instruction_of(state, shard, wish))},
            maxlen=OUT_STREAM_LENGTH,
            approximate=True,
        )
    delta = delta_of(outcome)
    if delta:
        pipe.publish(shards.deltas_channel(shard), _pack(delta))
    if acknowledged:
        pipe.xack(shards.commands_stream(shard), group, *acknowledged)
    pipe.execute()


def delta_of(outcome: Outcome) -> dict[str, Any]:
    """What changed in the books: absolute positions and balances, deals, orders; for exposure and account pages."""
    batch = outcome.batch
    rows = batch.rows
    if not (rows["positions"] or rows["accounts"] or rows["orders"]):
        return {}
    return {
        "sequence": batch.state.sequence,
        "positions": [
            (p.id, p.account, p.symbol, p.side, p.book, p.steps, p.cost)
            for p in rows["positions"].values()
        ],
        "accounts": [(a.spec.account, a.balance, a.credit) for a in rows["accounts"].values()],
        "orders": [(o.id, o.account, o.symbol, o.status) for o in rows["orders"].values()],
        "deals": [
            (e.id, e.account, e.symbol, e.side, e.entry, e.steps, e.price, e.book, e.at)
            for e in batch.executions
        ],
    }
