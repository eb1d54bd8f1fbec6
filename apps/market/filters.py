"""What may become a price: refuses one-sided, crossed, backward, stale and off-market ticks.

A spike is a move of more than `max_move` (a ratio) between two accepted mids that are close in time. It is
refused until it is confirmed by `confirmations` further ticks near the new level: a real gap becomes the
market after a moment, a single bad print never does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Refusal(StrEnum):
    ONE_SIDED = "ONE_SIDED"
    CROSSED = "CROSSED"
    BACKWARD = "BACKWARD"
    STALE = "STALE"
    SPIKE = "SPIKE"


@dataclass
class _Seen:
    ts_us: int
    mid2: int
    candidate2: int = 0
    votes: int = 0


@dataclass
class TickFilter:
    """Keeps the last accepted tick per symbol and judges the next one."""

    max_move: float = 0.02
    confirmations: int = 3
    forget_after_us: int = 15 * 60 * 1_000_000
    max_age_us: int | None = None
    refused: dict[Refusal, int] = field(default_factory=dict)
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def judge(
        self, symbol: str, bid: int, ask: int, ts_us: int, now_us: int | None = None
    ) -> Refusal | None:
        """None when the tick may be published; otherwise why not. Counts what it refuses."""
        refusal = self._judge(symbol, bid, ask, ts_us, now_us)
        if refusal is not None:
            self.refused[refusal] = self.refused.get(refusal, 0) + 1
        return refusal

    def _judge(
        self, symbol: str, bid: int, ask: int, ts_us: int, now_us: int | None
    ) -> Refusal | None:
        if bid <= 0 or ask <= 0:
            return Refusal.ONE_SIDED
        if ask < bid:
            return Refusal.CROSSED
        if self.max_age_us is not None and now_us is not None and now_us - ts_us > self.max_age_us:
            return Refusal.STALE
        seen = self._seen.get(symbol)
        mid2 = bid + ask
        if seen is None:
            self._seen[symbol] = _Seen(ts_us, mid2)
            return None
        if ts_us < seen.ts_us:
            return Refusal.BACKWARD
        if self._is_spike(seen, mid2, ts_us):
            return Refusal.SPIKE
        self._seen[symbol] = _Seen(ts_us, mid2)
        return None

    def _is_spike(self, seen: _Seen, mid2: int, ts_us: int) -> bool:
        if ts_us - seen.ts_us > self.forget_after_us:
            return False
        if abs(mid2 - seen.mid2) <= self.max_move * seen.mid2:
            return False
        near = seen.votes and abs(mid2 - seen.candidate2) <= self.max_move * seen.candidate2
        seen.votes = seen.votes + 1 if near else 1
        seen.candidate2 = mid2
        return seen.votes <= self.confirmations
