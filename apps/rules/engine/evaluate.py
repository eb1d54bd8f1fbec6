"""One evaluation: every row asked once over one shared context, with what it said and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import perf_counter_ns
from typing import Any, Final

import cel

from apps.rules.engine.compile import CompiledRule, CompiledSet
from apps.rules.engine.schema import (
    HitPolicy,
    Merge,
    Outcome,
    Point,
    Problem,
    Values,
    read_context,
)


class Hit(StrEnum):
    """What one row said."""

    HIT = "HIT"
    MISS = "MISS"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    NOT_IN_FORCE = "NOT_IN_FORCE"
    ERROR = "ERROR"
    NOT_ASKED = "NOT_ASKED"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a stable code for machines, a sentence for people, the row that says so."""

    code: str
    text: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class RuleResult:
    rule: str
    result: Hit
    us: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer with everything needed to explain it."""

    outcome: Outcome
    obligations: dict[str, Any]
    reasons: tuple[Reason, ...]
    results: tuple[RuleResult, ...]
    inputs: dict[str, Any]
    problems: tuple[Problem, ...]
    unknown: tuple[str, ...]
    us: float


_MERGES: Final[dict[Merge, Callable[[Any, Any], Any]]] = {
    Merge.FIRST: lambda old, new: old,
    Merge.MIN: min,
    Merge.MAX: max,
    Merge.ANY: lambda old, new: old or new,
    Merge.ALL: lambda old, new: old and new,
    Merge.UNION: lambda old, new: old + [item for item in new if item not in old],
}


def _ask(rule: CompiledRule, read: Values, context: Any, at: datetime) -> tuple[Hit, str]:
    if not rule.timeless and not rule.in_force(at):
        return Hit.NOT_IN_FORCE, ""
    if read.broken and (broken := rule.reads & read.broken):
        return Hit.ERROR, ",".join(sorted(broken))
    for name, allowed in rule.scope:
        if read.values[name] not in allowed:
            return Hit.OUT_OF_SCOPE, ""
    try:
        answer = rule.condition.program.execute(context)
    except Exception as error:
        return Hit.ERROR, type(error).__name__
    if answer is True:
        return Hit.HIT, ""
    if answer is False:
        return Hit.MISS, ""
    return Hit.ERROR, "NOT_A_CONDITION"


def _ask_all(
    compiled: CompiledSet, read: Values, at: datetime
) -> tuple[list[CompiledRule], list[RuleResult], bool]:
    """Ask rows in order. Under FIRST a hit ends the asking, and so does an error of a closed point: what the
    failing row would have said is unknown, so nothing below it may speak."""
    values = read.values
    context = cel.Context(
        variables={name: values[name] for name in compiled.reads if name in values}
    )
    first = compiled.hit_policy is HitPolicy.FIRST
    closed = compiled.point.on_error is not None
    hits: list[CompiledRule] = []
    results: list[RuleResult] = []
    failed = ended = False
    started = perf_counter_ns()
    for rule in compiled.rules:
        if ended:
            results.append(RuleResult(rule.row.code, Hit.NOT_ASKED))
            continue
        result, detail = _ask(rule, read, context, at)
        stopped = perf_counter_ns()
        results.append(RuleResult(rule.row.code, result, (stopped - started) / 1000, detail))
        started = stopped
        if result is Hit.HIT:
            hits.append(rule)
            ended = first
        elif result is Hit.ERROR:
            failed = failed or closed
            ended = first and closed
    return hits, results, failed


def _merge_obligations(point: Point, hits: list[CompiledRule]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    known = point.obligations_by_name
    for rule in hits:
        for name, value in rule.then:
            merged[name] = (
                _MERGES[known[name].merge](merged[name], value) if name in merged else value
            )
    for item in point.obligations:
        merged.setdefault(item.name, item.default)
    return merged


def _reasons(rules: list[CompiledRule]) -> list[Reason]:
    return [
        Reason(rule.row.reason or rule.row.code, rule.row.text, rule.row.code)
        for rule in rules
        if rule.row.reason or rule.row.text
    ]


def _fail(point: Point, results: list[RuleResult]) -> list[Reason]:
    return [
        Reason("INPUT_UNUSABLE" if result.detail else "RULE_FAILED", result.detail, result.rule)
        for result in results
        if result.result is Hit.ERROR
    ]


def _conclude(
    compiled: CompiledSet, hits: list[CompiledRule], results: list[RuleResult], failed: bool
) -> tuple[Outcome, list[Reason]]:
    point = compiled.point
    outcomes = [rule.row.outcome for rule in hits]
    if failed and point.on_error is not None:
        outcomes.append(point.on_error)
    if not outcomes:
        return point.on_no_hit, [] if point.on_no_hit is Outcome.ALLOW else [
            Reason("NO_RULE_APPLIES")
        ]
    outcome = max(outcomes, key=lambda item: item.rank)
    speaking = hits
    if compiled.hit_policy is HitPolicy.MOST_RESTRICTIVE:
        speaking = [rule for rule in hits if rule.row.outcome is outcome]
    reasons = _reasons(sorted(speaking, key=lambda rule: -rule.row.outcome.rank))
    if failed and outcome is point.on_error:
        reasons = _fail(point, results) + reasons
    return outcome, reasons


def evaluate(compiled: CompiledSet, context: Mapping[str, Any], *, at: datetime) -> Verdict:
    """Answer the point for these inputs at this instant. Bad data raises nothing: it fails as the point declares."""
    started = perf_counter_ns()
    point = compiled.point
    read = read_context(point, context)
    if not compiled.rules:
        outcome, reasons = Outcome.DENY, [Reason("NO_RULES")]
        hits: list[CompiledRule] = []
        results: list[RuleResult] = []
    else:
        hits, results, failed = _ask_all(compiled, read, at)
        outcome, reasons = _conclude(compiled, hits, results, failed)
    return Verdict(
        outcome=outcome,
        obligations=_merge_obligations(point, hits),
        reasons=tuple(reasons),
        results=tuple(results),
        inputs=read.values,
        problems=read.problems,
        unknown=read.unknown,
        us=(perf_counter_ns() - started) / 1000,
    )
