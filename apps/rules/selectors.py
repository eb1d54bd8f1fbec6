"""Reads for pages: versions, what differs between them, receipts of a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from apps.core.actor import Actor
from apps.rules.engine.compile import SCOPES, RuleRow
from apps.rules.engine.schema import Kind, Point
from apps.rules.models import DecisionLog, RuleSet


@dataclass(frozen=True, slots=True)
class RowChange:
    """What happened to one row between two versions: `added`, `removed`, or `changed` with (name, before, after)."""

    code: str
    kind: str
    changes: tuple[tuple[str, Any, Any], ...] = ()


def rows_of(ruleset: RuleSet) -> list[RuleRow]:
    return [rule.row for rule in ruleset.rules.all()]


def version_before(ruleset: RuleSet) -> RuleSet | None:
    """The version that people compare this one with."""
    return (
        RuleSet.objects.filter(
            entity=ruleset.entity, point=ruleset.point, version__lt=ruleset.version
        )
        .order_by("-version")
        .prefetch_related("rules")
        .first()
    )


def compare(before: Iterable[RuleRow], after: Iterable[RuleRow]) -> list[RowChange]:
    """Differences in the order of the newer version, removals last."""
    old = {row.code: row for row in before}
    new = {row.code: row for row in after}
    names = [item.name for item in fields(RuleRow) if item.name != "code"]
    found = []
    for code, row in new.items():
        if code not in old:
            found.append(RowChange(code, "added"))
            continue
        changed = tuple(
            (name, getattr(old[code], name), getattr(row, name))
            for name in names
            if getattr(old[code], name) != getattr(row, name)
        )
        if changed:
            found.append(RowChange(code, "changed", changed))
    found.extend(RowChange(code, "removed") for code in old if code not in new)
    return found


def scope_text(row: RuleRow) -> str:
    """The scope in one line; long country lists are counted."""
    parts = []
    for name in SCOPES:
        values = row.scope.get(name, ())
        if values:
            parts.append(", ".join(values) if len(values) <= 6 else f"{len(values)} {name}")
    return " · ".join(parts)


def decisions_of_client(client_id: UUID, limit: int = 12) -> QuerySet[DecisionLog]:
    return DecisionLog.objects.filter(client_id=client_id)[:limit]


def decisions_about(subject_type: str, subject_id: str, limit: int = 12) -> QuerySet[DecisionLog]:
    return DecisionLog.objects.filter(subject_type=subject_type, subject_id=subject_id)[:limit]


def outcome_counts(point: str, entity: str, actor: Actor) -> dict[str, int]:
    """How the point answered for the entity so far, for those receipts that the actor sees."""
    receipts = DecisionLog.objects.visible_to(actor).filter(point=point)
    if entity:
        receipts = receipts.filter(entity=entity)
    counted = receipts.order_by().values_list("outcome").annotate(Count("pk"))
    return dict(counted)


def example_value(point: Point, name: str) -> str:
    """What the tester writes into an empty field, so that one click gives an answer."""
    item = point.fields_by_name[name]
    if not item.required:
        return "" if item.default in ("", []) else _shown(item.default)
    examples = {"country": "DE", "lifecycle": "ACTIVE", "asset_class": "FX", "symbol": "EURUSD"}
    defaults = {Kind.INT: "2", Kind.MINOR: "100000", Kind.LOTS: "1000", Kind.BOOL: "false"}
    return examples.get(name, defaults.get(item.kind, ""))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)
