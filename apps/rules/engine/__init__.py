"""The pure part of the rules layer: typed points, compiled rule sets, one evaluation.

Knows nothing of Django, the database or the clock: everything comes in as a value and goes out as a value,
so a decision of last year can be computed again from its receipt.
"""

from apps.rules.engine.compile import CompiledRule, CompiledSet, RuleRow, RuleSource, compile_set
from apps.rules.engine.evaluate import Hit, Reason, RuleResult, Verdict, evaluate
from apps.rules.engine.expressions import BadExpression, compile_condition
from apps.rules.engine.schema import (
    Field,
    HitPolicy,
    Kind,
    Merge,
    Obligation,
    Outcome,
    Point,
    Problem,
    read_context,
)

__all__ = [
    "BadExpression",
    "CompiledRule",
    "CompiledSet",
    "Field",
    "Hit",
    "HitPolicy",
    "Kind",
    "Merge",
    "Obligation",
    "Outcome",
    "Point",
    "Problem",
    "Reason",
    "RuleResult",
    "RuleRow",
    "RuleSource",
    "Verdict",
    "compile_condition",
    "compile_set",
    "evaluate",
    "read_context",
]
