"""How long a decision takes, beside the same checks written in Python.

    python tests/benchmarks/rules.py [--n 20000]

Prints a table and ends with one JSON line. Nothing touches a database: the receipt's statement is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter_ns

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.test")

import cel

from apps.rules.engine import HitPolicy, RuleSource, compile_set, evaluate
from apps.rules.files import compile_contents, rule_files
from apps.rules.points import POINTS

AT = datetime(2026, 11, 20, tzinfo=UTC)
CONTEXT = {
    "amount_base_minor": 50_000,
    "kyc_level": 2,
    "restrictions": [],
    "risk_rating": "LOW",
    "first_withdrawal": False,
    "new_destination": False,
    "closed_loop": True,
    "traded": True,
    "withdrawals_24h_base_minor": 0,
}


def plain(context: dict) -> tuple[str, int]:
    """The ten checks of the EU withdrawal gate as somebody would write them by hand."""
    outcome, approvals = "ALLOW", 0
    amount = context["amount_base_minor"]
    if amount > 100_000:
        approvals = 2
    elif amount > 10_000:
        approvals = 1
    if context["kyc_level"] < 1:
        outcome = "REQUIRE"
    if context["first_withdrawal"] or context["new_destination"]:
        outcome, approvals = "REVIEW", max(approvals, 1)
    if not context["closed_loop"] or (not context["traded"] and amount > 10_000):
        outcome, approvals = "REVIEW", 2
    if context["risk_rating"] == "HIGH":
        outcome, approvals = "REVIEW", 2
    if context["withdrawals_24h_base_minor"] + amount > 1_000_000:
        outcome, approvals = "REVIEW", 2
    if "no_withdrawal" in context["restrictions"]:
        outcome = "DENY"
    return outcome, approvals


def timed(call: Callable[[], object], n: int) -> float:
    """Median of five runs, microseconds per call."""
    runs = []
    for _ in range(5):
        started = perf_counter_ns()
        for _ in range(n):
            call()
        runs.append((perf_counter_ns() - started) / n / 1000)
    return median(runs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--small", action="store_true", help="a few hundred, to see that it runs")
    options = parser.parse_args()
    n = 300 if options.small else options.n
    contents = {content.key: content for content in rule_files()}
    joined = compile_contents(list(contents.values()))["BOS-EU", "withdrawal.gate"]
    ten = contents["BOS-EU/withdrawal.gate"].rows
    gate = compile_set(
        POINTS["withdrawal.gate"], HitPolicy.COLLECT, [(RuleSource("bench", 1, ""), ten)]
    )
    context = cel.Context(variables={name: CONTEXT[name] for name in gate.reads})
    programs = [rule.condition.program for rule in gate.rules]

    def conditions_alone() -> None:
        for program in programs:
            program.execute(context)

    expected = plain(CONTEXT)
    verdict = evaluate(gate, CONTEXT, at=AT)
    assert (verdict.outcome.value, verdict.obligations["approvals"]) == expected

    figures = {
        "plain_python_us": timed(lambda: plain(CONTEXT), n),
        "ten_conditions_shared_context_us": timed(conditions_alone, n),
        "decision_ten_rules_us": timed(lambda: evaluate(gate, CONTEXT, at=AT), n),
        "decision_with_common_rules_us": timed(lambda: evaluate(joined, CONTEXT, at=AT), n),
    }
    base = figures["plain_python_us"]
    print(f"{'':44}{'µs':>10}{'× plain':>10}")
    for name, value in figures.items():
        print(f"{name:44}{value:>10.2f}{value / base:>10.1f}")
    print(json.dumps({name: round(value, 3) for name, value in figures.items()} | {"n": n}))


if __name__ == "__main__":
    main()
