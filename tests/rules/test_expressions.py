"""Fuzz: whatever people type, the answer is a condition or a refusal, soon."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.rules.engine import (
    BadExpression,
    HitPolicy,
    Outcome,
    RuleRow,
    RuleSource,
    compile_condition,
    compile_set,
    evaluate,
)
from apps.rules.points import POINTS

POINT = POINTS["withdrawal.gate"]
AT = datetime(2026, 11, 20, tzinfo=UTC)
CONTEXT = {"amount_base_minor": 12_345, "kyc_level": 2, "restrictions": ["no_deposit"] * 50}
WORDS = st.sampled_from(
    [
        "amount_base_minor", "kyc_level", "restrictions", "country", "closed_loop", "true", "false", "null",
        "&&", "||", "!", "==", "!=", "<", ">=", "+", "-", "*", "/", "%", "in", "(", ")", "[", "]", "{", "}",
        ",", ":", "?", ".", "'a'", '"', "'", "1", "0", "-1", "9223372036854775807", "1.5", "1u", "size",
        ".exists(x, x == 'a')", ".all(x, true)", ".map(x, x)", "matches('a*')", "has(", "__import__", "\\", "\x00",
        "日本", "\n", "timestamp('x')", "duration('1s')", "string(1)", "int('x')",
    ]
)  # fmt: skip


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(WORDS, min_size=1, max_size=14).map(" ".join), st.text(max_size=60)))
def test_any_text_compiles_or_is_refused_and_never_takes_long(text):
    started = time.perf_counter()
    try:
        compile_condition(POINT, text)
    except BadExpression:
        pass
    else:
        row = RuleRow(code="fuzz", when=text, outcome=Outcome.ALLOW)
        compiled = compile_set(POINT, HitPolicy.FIRST, [(RuleSource("f", 1, ""), [row])])
        verdict = evaluate(compiled, CONTEXT, at=AT)
        assert verdict.outcome in (Outcome.ALLOW, Outcome.REVIEW, Outcome.DENY)
    assert time.perf_counter() - started < 0.5


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(POINT.fields_by_name)),
        st.one_of(
            st.none(), st.integers(), st.floats(), st.text(max_size=20), st.booleans(), st.decimals(),
            st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=5), st.binary(max_size=5),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_any_context_is_answered_and_an_unusable_amount_never_passes(context):
    rows = [
        RuleRow(code="small", when="amount_base_minor <= 100", outcome=Outcome.ALLOW),
        RuleRow(
            code="block",
            when="'no_withdrawal' in restrictions",
            outcome=Outcome.DENY,
            reason="BLOCKED",
        ),
    ]
    compiled = compile_set(POINT, HitPolicy.COLLECT, [(RuleSource("f", 1, ""), rows)])
    verdict = evaluate(compiled, context, at=AT)
    if type(context.get("amount_base_minor")) is not int:
        assert verdict.outcome is Outcome.DENY


def test_the_widest_permitted_comprehension_stays_quick():
    text = "restrictions.exists(a, restrictions.exists(b, a != b))"
    row = RuleRow(code="wide", when=text, outcome=Outcome.ALLOW)
    compiled = compile_set(POINT, HitPolicy.FIRST, [(RuleSource("f", 1, ""), [row])])
    verdict = evaluate(compiled, CONTEXT | {"restrictions": ["x"] * 100}, at=AT)
    assert verdict.outcome is Outcome.REVIEW
    assert verdict.us < 500_000
