"""Segregation of duties, as data: `data/duties.toml` names the roles that do not go together."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DUTIES_FILE = Path(__file__).parent / "data" / "duties.toml"
EVERY_OTHER = "*"


@dataclass(frozen=True, slots=True)
class Conflict:
    """`first` and `second` do not go together; `second` may be every other role."""

    code: str
    first: str
    second: str
    refuses: bool
    why: str

    def touches(self, role: str, held: Collection[str]) -> bool:
        """Whether `role` beside the roles `held` is such a pair."""
        others = set(held) - {role}
        if self.second == EVERY_OTHER:
            return (role == self.first and bool(others)) or self.first in others
        pair = {self.first, self.second}
        return role in pair and bool((pair - {role}) & others)


@cache
def conflicts_declared() -> tuple[Conflict, ...]:
    """Every pair of the data file. Raises `ValueError` for an action that is neither `refuse` nor `flag`."""
    found = []
    with DUTIES_FILE.open("rb") as file:
        for code, entry in tomllib.load(file).items():
            if entry["action"] not in {"refuse", "flag"}:
                raise ValueError(f"duties {code}: the action is refuse or flag")
            first, second = entry["roles"]
            found.append(Conflict(code, first, second, entry["action"] == "refuse", entry["why"]))
    return tuple(found)


def conflicts_of(roles: Collection[str]) -> list[Conflict]:
    """Every pair among the roles that one person holds, those that are refused first."""
    found = [c for c in conflicts_declared() if any(c.touches(role, roles) for role in roles)]
    return sorted(found, key=lambda conflict: (not conflict.refuses, conflict.code))
