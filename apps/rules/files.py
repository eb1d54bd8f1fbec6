"""Rule sets as files: the shape that reviewers read, compare and sign off before it is loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from apps.rules.engine.compile import (
    SCOPES,
    CompiledSet,
    RuleRow,
    RuleSource,
    checksum_of,
    compile_set,
)
from apps.rules.engine.evaluate import evaluate
from apps.rules.engine.schema import HitPolicy, Outcome, Point
from apps.rules.points import POINTS

DATA: Final = Path(__file__).parent / "data"
_ROW_KEYS: Final = {
    "code", "when", "outcome", "then", "reason", "text", "priority", "valid_from", "valid_to",
    "enabled", "source_url", "verified_on", *SCOPES,
}  # fmt: skip


class BadRuleFile(ValueError):
    """The file says something that no rule set can say; the message names the place."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A golden case: with these inputs at this moment, this must be the answer."""

    name: str
    context: Mapping[str, Any]
    outcome: Outcome
    obligations: Mapping[str, Any]
    reasons: tuple[str, ...] | None
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SetContent:
    """One rule set of a file."""

    entity: str
    point: Point
    title: str
    hit_policy: HitPolicy
    rows: tuple[RuleRow, ...]
    cases: tuple[Case, ...]

    @property
    def key(self) -> str:
        return set_key(self.entity, self.point.code)

    @cached_property
    def checksum(self) -> str:
        return checksum_of(self.rows, self.hit_policy)

    @property
    def layer(self) -> tuple[RuleSource, tuple[RuleRow, ...]]:
        return RuleSource(self.key, 0, self.checksum), self.rows


def set_key(entity: str, point: str) -> str:
    return f"{entity or 'COMMON'}/{point}"


def _moment(value: Any) -> datetime | None:
    """A date in a file means its first instant, UTC."""
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    raise BadRuleFile(f"not a date: {value!r}")


def _expand(values: list[str], groups: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Names with `@` stand for a group of the file; what is stored is the list itself, as it was that day."""
    expanded: list[str] = []
    for value in values:
        if value.startswith("@"):
            if value[1:] not in groups:
                raise BadRuleFile(f"no group {value}")
            expanded.extend(groups[value[1:]])
        else:
            expanded.append(value)
    return tuple(dict.fromkeys(expanded))


def _row(data: Mapping[str, Any], groups: Mapping[str, list[str]]) -> RuleRow:
    if strange := sorted(set(data) - _ROW_KEYS):
        raise BadRuleFile(f"{data.get('code')}: unknown {', '.join(strange)}")
    return RuleRow(
        code=data["code"],
        when=data["when"],
        outcome=Outcome(data["outcome"]),
        then=data.get("then", {}),
        reason=data.get("reason", ""),
        text=data.get("text", ""),
        priority=data.get("priority", 100),
        scope={name: _expand(data[name], groups) for name in SCOPES if name in data},
        valid_from=_moment(data.get("valid_from")),
        valid_to=_moment(data.get("valid_to")),
        enabled=data.get("enabled", True),
        source_url=data.get("source_url", ""),
        verified_on=str(data.get("verified_on", "")),
    )


def _case(data: Mapping[str, Any]) -> Case:
    return Case(
        name=data["name"],
        context=data["context"],
        outcome=Outcome(data["outcome"]),
        obligations=data.get("obligations", {}),
        reasons=tuple(data["reasons"]) if "reasons" in data else None,
        at=_moment(data.get("at")),
    )


def read_rule_file(path: Path) -> list[SetContent]:
    """The sets of one file. Raises `BadRuleFile` naming what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadRuleFile(f"{path.name}: {error}") from None
    groups = document.get("groups", {})
    contents = []
    for data in document["ruleset"]:
        point = POINTS.get(data["point"])
        if point is None:
            raise BadRuleFile(f"{path.name}: no point {data['point']}")
        try:
            rows = tuple(_row(row, groups) for row in data["rule"])
            cases = tuple(_case(case) for case in data.get("case", []))
        except (KeyError, ValueError) as error:
            raise BadRuleFile(f"{path.name}: {point.code}: {error}") from None
        codes = [row.code for row in rows]
        if len(codes) != len(set(codes)):
            raise BadRuleFile(f"{path.name}: {point.code}: two rows have one code")
        contents.append(
            SetContent(
                entity=document.get("entity", ""),
                point=point,
                title=data["title"],
                hit_policy=point.hit_policy,
                rows=rows,
                cases=cases,
            )
        )
    return contents


def rule_files(folder: Path = DATA) -> Iterator[SetContent]:
    for path in sorted(folder.glob("*.toml")):
        yield from read_rule_file(path)


def compile_contents(contents: list[SetContent]) -> dict[tuple[str, str], CompiledSet]:
    """Every set joined with the common one of its point, keyed by (entity, point)."""
    common = {content.point.code: content for content in contents if not content.entity}
    compiled = {}
    for content in contents:
        layers = [content.layer]
        shared = common.get(content.point.code)
        if content.entity and shared is not None:
            layers.append(shared.layer)
        compiled[content.entity, content.point.code] = compile_set(
            content.point, content.hit_policy, layers
        )
    return compiled


def failing_case(compiled: CompiledSet, case: Case, *, at: datetime) -> str:
    """What differs from the expected answer, or an empty text when the case holds."""
    verdict = evaluate(compiled, case.context, at=case.at or at)
    if verdict.outcome is not case.outcome:
        return f"{case.name}: {verdict.outcome} instead of {case.outcome}"
    codes = sorted(reason.code for reason in verdict.reasons)
    if case.reasons is not None and codes != sorted(case.reasons):
        return f"{case.name}: reasons {codes} instead of {sorted(case.reasons)}"
    for name, expected in case.obligations.items():
        if verdict.obligations.get(name) != expected:
            return (
                f"{case.name}: {name} is {verdict.obligations.get(name)!r} instead of {expected!r}"
            )
    return ""
