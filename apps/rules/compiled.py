"""Compiled rule sets of this process, reloaded when the published version moves on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from apps.rules.engine.compile import CompiledSet, compile_set
from apps.rules.engine.schema import HitPolicy
from apps.rules.enums import RuleSetState
from apps.rules.models import RuleSet, RulesVersion
from apps.rules.points import POINTS

CHECK_EVERY_S: Final = 1.0


@dataclass
class _Cache:
    """A version published elsewhere answers here after at most `CHECK_EVERY_S`; the receipt says which one answered."""

    number: int = -1
    checked_at: float = 0.0
    sets: dict[tuple[str, str], CompiledSet] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


_cache = _Cache()


def forget_compiled() -> None:
    """Look at the database again with the next decision of this process."""
    _cache.checked_at = 0.0


def published_number() -> int:
    return RulesVersion.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def _refresh() -> None:
    moment = time.monotonic()
    if _cache.checked_at and moment - _cache.checked_at < CHECK_EVERY_S:
        return
    with _cache.lock:
        number = published_number()
        if number != _cache.number:
            _cache.sets = {}
            _cache.number = number
        _cache.checked_at = moment


def compiled_for(point: str, entity: str) -> CompiledSet:
    """The active rows of the entity and those common to all, compiled once per published version."""
    _refresh()
    known = _cache.sets.get((point, entity))
    if known is None:
        known = compile_versions(
            point,
            RuleSet.objects.filter(
                point=point, entity__in={"", entity}, state=RuleSetState.ACTIVE
            ).prefetch_related("rules"),
        )
        _cache.sets[point, entity] = known
    return known


def compile_versions(point: str, versions: Iterable[RuleSet]) -> CompiledSet:
    """These versions joined, the entity's own before the common one."""
    declared = POINTS[point]
    ordered = sorted(versions, key=lambda version: version.entity == "")
    policy = HitPolicy(ordered[0].hit_policy) if ordered else declared.hit_policy
    layers = [(version.source, [rule.row for rule in version.rules.all()]) for version in ordered]
    return compile_set(declared, policy, layers)
