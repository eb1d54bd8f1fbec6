"""How far a person sees, as plain values: what can be asked for, compared and put into an approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core.actor import Actor, ScopeLevel
from apps.users.models import User

LEVELS = tuple(ScopeLevel)
"""From nothing to everything; the order says which one is wider."""
LISTS = tuple(name for name in ("entities", "jurisdictions") if hasattr(User, name))
PLACES = tuple(name for name in ("desk_id", "team_id") if hasattr(User, name))
STANDS_ON = {ScopeLevel.ENTITY: "entities", ScopeLevel.JURISDICTION: "jurisdictions"}
"""Levels that see what a list names, and nothing while it is empty."""
FIELDS = ("scope_level", *PLACES, *LISTS)


def reach_of(user: User) -> dict[str, Any]:
    """Level, desk, team and lists of this login, in the form that approvals keep."""
    values = {name: getattr(user, name) for name in FIELDS}
    return {
        name: sorted(value) if name in LISTS else str(value) if name == "scope_level" else value
        for name, value in values.items()
    }


def widens(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether anything is seen after that was not seen before. In doubt, yes."""
    old, new = ScopeLevel(before["scope_level"]), ScopeLevel(after["scope_level"])
    if new is ScopeLevel.NONE or old is ScopeLevel.ALL:
        return False
    rises = LEVELS.index(new) > LEVELS.index(old) or _sees_nothing(before)
    if rises and not _sees_nothing(after):
        return True
    if any(after[name] != before[name] and after[name] is not None for name in PLACES):
        return True
    return any(
        _reaches_further(before[name], after[name], stands_on_it=STANDS_ON.get(new) == name)
        for name in LISTS
    )


def _sees_nothing(reach: Mapping[str, Any]) -> bool:
    """No level, or a level that stands on a list without anything in it."""
    level = ScopeLevel(reach["scope_level"])
    named = STANDS_ON.get(level)
    return level is ScopeLevel.NONE or (named is not None and not reach[named])


def _reaches_further(before: list[str], after: list[str], *, stands_on_it: bool) -> bool:
    """A list limits a level and opens what its names have of staff; a level that stands on it sees nothing without.

    So a name more is further, and so is a limit that falls away.
    """
    if not after:
        return bool(before) and not stands_on_it
    return not set(after) <= set(before)


def beyond(wish: Mapping[str, Any], actor: Actor) -> bool:
    """Whether the wish goes further than the one who asks sees."""
    if actor.scope.level is ScopeLevel.ALL:
        return False
    level = ScopeLevel(wish["scope_level"])
    if LEVELS.index(level) > LEVELS.index(actor.scope.level):
        return True
    if not wish["entities"]:
        return level is not ScopeLevel.NONE
    return not set(wish["entities"]) <= actor.scope.entities
