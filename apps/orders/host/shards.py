"""Which engine holds an account, and the Redis names of a shard."""

from __future__ import annotations

import zlib
from uuid import UUID

from django.conf import settings

IDS_PER_SHARD = 10**15


def shard_of(account_id: UUID | str) -> str:
    """The shard of an account: stable as long as the list of shards is."""
    shards = settings.ENGINE_SHARDS
    return shards[zlib.crc32(str(account_id).encode()) % len(shards)]


def first_id(shard: str) -> int:
    """Tickets of different shards never meet."""
    return settings.ENGINE_SHARDS.index(shard) * IDS_PER_SHARD + 1


def lock_key(shard: str) -> int:
    """The advisory lock that makes the engine the single writer of its shard."""
    return zlib.crc32(f"engine:{shard}".encode()) + (0xE6 << 32)


def commands_stream(shard: str) -> str:
    return f"engine:{shard}:in"


def instructions_stream(shard: str) -> str:
    return f"engine:{shard}:out"


def deltas_channel(shard: str) -> str:
    return f"engine:{shard}:deltas"


def stats_key(shard: str) -> str:
    return f"engine:{shard}:stats"


def heartbeat_key(shard: str) -> str:
    return f"engine:{shard}:heartbeat"


def dead_list(shard: str) -> str:
    return f"engine:{shard}:dead"
