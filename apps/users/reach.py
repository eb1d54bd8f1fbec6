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
    if new is ScopeLevel.NONE:
        return False
    if LEVELS.index(new) > LEVELS.index(old):
        return True
    if old is ScopeLevel.ALL and new is ScopeLevel.ALL:
        return False
    if old is not ScopeLevel.ALL and any(
        after[name] != before[name] and after[name] is not None for name in PLACES
    ):
        return True
    return old is not ScopeLevel.ALL and any(
        _reaches_further(before[name], after[name]) for name in LISTS
    )


def _reaches_further(before: list[str], after: list[str]) -> bool:
    """A list names where somebody is limited to; an empty one limits nothing."""
    if not before:
        return False
    return not after or not set(after) <= set(before)


def beyond(wish: Mapping[str, Any], actor: Actor) -> bool:
    """Whether the wish goes further than the one who asks sees."""
    if actor.scope.level is ScopeLevel.ALL:
        return False
    if LEVELS.index(ScopeLevel(wish["scope_level"])) > LEVELS.index(actor.scope.level):
        return True
    return not wish["entities"] or not set(wish["entities"]) <= actor.scope.entities
