"""Currencies as a graph of quoted pairs, free of I/O.

A conversion takes the fewest steps, and on each step the price that is worse for the client: money received
is sold at the bid or bought at the ask, money owed the other way round.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from apps.market.enums import ConversionSide


@dataclass(frozen=True)
class PairRate:
    """One unit of `base` costs `bid` to `ask` units of `quote`."""

    symbol: str
    base: str
    quote: str
    bid: Decimal
    ask: Decimal


class RateGraph:
    """Finds the rate between any two connected currencies."""

    def __init__(self, rates: Iterable[PairRate]) -> None:
        self._edges: dict[str, list[tuple[str, PairRate]]] = {}
        for rate in rates:
            self._edges.setdefault(rate.base, []).append((rate.quote, rate))
            self._edges.setdefault(rate.quote, []).append((rate.base, rate))

    def rate(
        self, source: str, target: str, side: ConversionSide = ConversionSide.MID
    ) -> Decimal | None:
        """Units of `target` for one unit of `source`; None when nothing connects them."""
        path = self.path(source, target)
        if path is None:
            return None
        rate = Decimal(1)
        at = source
        for pair in path:
            forward = pair.base == at
            rate = (
                rate * _price(pair, side, forward)
                if forward
                else rate / _price(pair, side, forward)
            )
            at = pair.quote if forward else pair.base
        return rate

    def path(self, source: str, target: str) -> list[PairRate] | None:
        """The pairs of the shortest way, the earlier listed first among equals."""
        if source == target:
            return []
        ways: dict[str, tuple[str, PairRate]] = {}
        waiting = deque([source])
        while waiting:
            at = waiting.popleft()
            for neighbour, pair in self._edges.get(at, ()):
                if neighbour in ways or neighbour == source:
                    continue
                ways[neighbour] = (at, pair)
                if neighbour == target:
                    return _unwind(ways, source, target)
                waiting.append(neighbour)
        return None


def _unwind(ways: dict[str, tuple[str, PairRate]], source: str, target: str) -> list[PairRate]:
    steps: list[PairRate] = []
    at = target
    while at != source:
        at, pair = ways[at]
        steps.append(pair)
    return steps[::-1]


def _price(pair: PairRate, side: ConversionSide, forward: bool) -> Decimal:
    if side is ConversionSide.MID:
        return (pair.bid + pair.ask) / 2
    at_bid = forward == (side is ConversionSide.RECEIVE)
    return pair.bid if at_bid else pair.ask
