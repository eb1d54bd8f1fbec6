"""From rows that people wrote to something that answers in microseconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from apps.rules.engine.expressions import BadExpression, Condition, compile_condition
from apps.rules.engine.schema import HitPolicy, Outcome, Point, Unreadable, read_value

SCOPES: Final[dict[str, str]] = {
    "countries": "country",
    "asset_classes": "asset_class",
    "segments": "segment",
    "categories": "category",
}


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """One row as written. `scope` narrows it by country, asset class, segment or category."""

    code: str
    when: str
    outcome: Outcome
    then: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    text: str = ""
    priority: int = 100
    scope: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    enabled: bool = True
    source_url: str = ""
    verified_on: str = ""


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Which version of which set a row came from; the receipt repeats it."""

    key: str
    version: int
    checksum: str


@dataclass(frozen=True, slots=True)
class CompiledRule:
    row: RuleRow
    source: RuleSource
    condition: Condition
    scope: tuple[tuple[str, frozenset[str]], ...]
    reads: frozenset[str]
    then: tuple[tuple[str, Any], ...]
    timeless: bool

    def in_force(self, at: datetime) -> bool:
        """Half-open: from the first instant on, not any more at the last."""
        row = self.row
        return (row.valid_from is None or row.valid_from <= at) and (
            row.valid_to is None or at < row.valid_to
        )


@dataclass(frozen=True, slots=True)
class CompiledSet:
    """Everything that answers one point for one entity: its own rows and the ones common to all."""

    point: Point
    hit_policy: HitPolicy
    rules: tuple[CompiledRule, ...]
    sources: tuple[RuleSource, ...]
    reads: frozenset[str]


def checksum_of(rows: Iterable[RuleRow], hit_policy: HitPolicy) -> str:
    """Identity of what a set says: equal content gives an equal sum, whatever the order of the file."""
    content = [
        {
            "code": row.code,
            "when": row.when,
            "outcome": row.outcome.value,
            "then": dict(row.then),
            "reason": row.reason,
            "text": row.text,
            "priority": row.priority,
            "scope": {name: sorted(values) for name, values in row.scope.items()},
            "valid_from": row.valid_from.isoformat() if row.valid_from else None,
            "valid_to": row.valid_to.isoformat() if row.valid_to else None,
            "enabled": row.enabled,
            "source_url": row.source_url,
            "verified_on": row.verified_on,
        }
        for row in sorted(rows, key=lambda row: (row.priority, row.code))
    ]
    packed = json.dumps([hit_policy.value, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(packed.encode()).hexdigest()


def _compile_scope(point: Point, row: RuleRow) -> tuple[tuple[str, frozenset[str]], ...]:
    scope = []
    for name, allowed in row.scope.items():
        if not allowed:
            continue
        input_name = SCOPES.get(name)
        if input_name is None or input_name not in point.fields_by_name:
            raise BadExpression("UNKNOWN_SCOPE", name)
        scope.append((input_name, frozenset(allowed)))
    return tuple(scope)


def _compile_then(point: Point, row: RuleRow) -> tuple[tuple[str, Any], ...]:
    known = point.obligations_by_name
    then = []
    for name, value in row.then.items():
        if name not in known:
            raise BadExpression("UNKNOWN_OBLIGATION", name)
        try:
            then.append((name, read_value(known[name].kind, value)))
        except Unreadable:
            raise BadExpression("WRONG_OBLIGATION", name) from None
    return tuple(then)


def compile_rule(point: Point, row: RuleRow, source: RuleSource) -> CompiledRule:
    """Raises `BadExpression` when the row does not fit its point."""
    if row.outcome is not Outcome.ALLOW and not row.reason:
        raise BadExpression("REASON_MISSING", row.code)
    condition = compile_condition(point, row.when)
    scope = _compile_scope(point, row)
    return CompiledRule(
        row=row,
        source=source,
        condition=condition,
        scope=scope,
        reads=condition.reads | {name for name, _ in scope},
        then=_compile_then(point, row),
        timeless=row.valid_from is None and row.valid_to is None,
    )


def compile_set(
    point: Point, hit_policy: HitPolicy, layers: Iterable[tuple[RuleSource, Iterable[RuleRow]]]
) -> CompiledSet:
    """Join the layers (the entity's own first, then the common one) into one set in the order they are asked.

    Rows are asked by priority; of equal priority the earlier layer first, then by code: the order never depends
    on the database.
    """
    ordered: list[tuple[int, int, str, CompiledRule]] = []
    sources = []
    for depth, (source, rows) in enumerate(layers):
        sources.append(source)
        ordered.extend(
            (row.priority, depth, row.code, compile_rule(point, row, source))
            for row in rows
            if row.enabled
        )
    ordered.sort(key=lambda item: item[:3])
    rules = tuple(rule for *_, rule in ordered)
    reads = frozenset(name for rule in rules for name in rule.condition.reads)
    return CompiledSet(point, hit_policy, rules, tuple(sources), reads)
