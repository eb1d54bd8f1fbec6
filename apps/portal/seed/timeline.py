"""What happens when: steps in the order of their moments, each under a clock that stands at its moment."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

from apps.core import clock

Step = Callable[[], None]


class Timeline:
    """Steps may add later steps. Two of one moment run in the order in which they were added."""

    def __init__(self, end: datetime) -> None:
        self.end = end
        self.done = 0
        self._waiting: list[tuple[datetime, int, Step]] = []
        self._numbers = count()

    def at(self, moment: datetime, step: Step) -> None:
        """Plan a step; one that would lie in the future never happens, because the story ends today."""
        if moment <= self.end:
            heapq.heappush(self._waiting, (moment, next(self._numbers), step))

    def run(self, after_each: Callable[[], None]) -> None:
        """Everything that was planned, each step followed by what it causes."""
        while self._waiting:
            moment, _number, step = heapq.heappop(self._waiting)
            with clock.frozen(moment):
                step()
                after_each()
            self.done += 1
