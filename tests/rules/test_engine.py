"""The pure engine: hit policies as tables, and how it fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.rules.engine import (
    BadExpression,
    Field,
    HitPolicy,
    Kind,
    Merge,
    Obligation,
    Outcome,
    Point,
    RuleRow,
    RuleSource,
    compile_set,
    evaluate,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = RuleSource("TEST/point", 1, "0" * 64)
POINT = Point(
    "test.point",
    "Test",
    (
        Field("amount_base_minor", Kind.MINOR, "amount"),
        Field("kyc_level", Kind.INT, "level", 0),
        Field("country", Kind.TEXT, "country", ""),
        Field("restrictions", Kind.TEXTS, "restrictions", []),
        Field("us_person", Kind.BOOL, "us", False),
        Field("quantity_millilots", Kind.LOTS, "lots", 0),
        Field("email", Kind.TEXT, "email", "", personal=True),
    ),
    HitPolicy.FIRST,
    on_error=Outcome.REVIEW,
    on_no_hit=Outcome.DENY,
    obligations=(
        Obligation("approvals", Kind.INT, Merge.MAX, "approvals", 0),
        Obligation("max_leverage", Kind.INT, Merge.MIN, "leverage", 1),
        Obligation("steps", Kind.TEXTS, Merge.UNION, "steps", []),
        Obligation("auto_credit", Kind.BOOL, Merge.ALL, "auto", False),
        Obligation("book", Kind.TEXT, Merge.FIRST, "book", ""),
    ),
)
OPEN_POINT = replace(POINT, on_error=None, on_no_hit=Outcome.ALLOW)


def row(code: str, when: str, outcome: str, priority: int = 100, **more) -> RuleRow:
    return RuleRow(
        code=code,
        when=when,
        outcome=Outcome(outcome),
        reason=code.upper(),
        priority=priority,
        **more,
    )


SMALL = row("small", "amount_base_minor <= 100", "ALLOW", 10, then={"approvals": 0, "book": "B"})
MIDDLE = row(
    "middle", "amount_base_minor <= 1000", "REVIEW", 20, then={"approvals": 1, "book": "A"}
)
LARGE = row("large", "amount_base_minor > 1000", "DENY", 30, then={"approvals": 2})
BLOCKED = row("blocked", "'no_withdrawal' in restrictions", "REQUIRE", 40, then={"steps": ["CALL"]})
TABLE = [LARGE, BLOCKED, SMALL, MIDDLE]


def ask(rows, context, policy=HitPolicy.FIRST, point=POINT, at=AT):
    return evaluate(compile_set(point, policy, [(SOURCE, rows)]), context, at=at)


@pytest.mark.parametrize(
    ("policy", "amount", "restrictions", "outcome", "reasons", "approvals", "book"),
    [
        ("FIRST", 100, [], "ALLOW", ["SMALL"], 0, "B"),
        ("FIRST", 101, [], "REVIEW", ["MIDDLE"], 1, "A"),
        ("FIRST", 1000, ["no_withdrawal"], "REVIEW", ["MIDDLE"], 1, "A"),
        ("FIRST", 1001, [], "DENY", ["LARGE"], 2, ""),
        ("MOST_RESTRICTIVE", 100, [], "REVIEW", ["MIDDLE"], 1, "B"),
        ("MOST_RESTRICTIVE", 100, ["no_withdrawal"], "REVIEW", ["MIDDLE"], 1, "B"),
        ("MOST_RESTRICTIVE", 1001, ["no_withdrawal"], "DENY", ["LARGE"], 2, ""),
        ("COLLECT", 100, [], "REVIEW", ["MIDDLE", "SMALL"], 1, "B"),
        ("COLLECT", 1001, ["no_withdrawal"], "DENY", ["LARGE", "BLOCKED"], 2, ""),
    ],
)
def test_hit_policies(policy, amount, restrictions, outcome, reasons, approvals, book):
    verdict = ask(
        TABLE, {"amount_base_minor": amount, "restrictions": restrictions}, HitPolicy(policy)
    )
    assert verdict.outcome == outcome
    assert [reason.code for reason in verdict.reasons] == reasons
    assert verdict.obligations["approvals"] == approvals
    assert verdict.obligations["book"] == book


def test_first_asks_nobody_after_the_hit():
    verdict = ask(TABLE, {"amount_base_minor": 100})
    assert [(result.rule, result.result.value) for result in verdict.results] == [
        ("small", "HIT"),
        ("middle", "NOT_ASKED"),
        ("large", "NOT_ASKED"),
        ("blocked", "NOT_ASKED"),
    ]


@pytest.mark.parametrize(
    ("name", "values", "merged"),
    [
        ("approvals", [1, 3, 2], 3),
        ("max_leverage", [30, 5, 20], 5),
        ("steps", [["KYC"], ["CALL", "KYC"], ["TAX"]], ["KYC", "CALL", "TAX"]),
        ("auto_credit", [True, False, True], False),
        ("auto_credit", [True, True], True),
        ("book", ["A", "B"], "A"),
    ],
)
def test_obligations_merge_as_declared(name, values, merged):
    rows = [
        row(f"r{index}", "true", "ALLOW", index, then={name: value})
        for index, value in enumerate(values)
    ]
    verdict = ask(rows, {"amount_base_minor": 1}, HitPolicy.COLLECT)
    assert verdict.obligations[name] == merged


BAD_AMOUNTS = [
    ("missing", {}, "MISSING"),
    ("null", {"amount_base_minor": None}, "MISSING"),
    ("text", {"amount_base_minor": "100"}, "WRONG_TYPE"),
    ("boolean", {"amount_base_minor": True}, "WRONG_TYPE"),
    ("float", {"amount_base_minor": 100.0}, "WRONG_TYPE"),
    ("not a number", {"amount_base_minor": float("nan")}, "WRONG_TYPE"),
    ("decimal", {"amount_base_minor": Decimal(100)}, "WRONG_TYPE"),
    ("list", {"amount_base_minor": [100]}, "WRONG_TYPE"),
    ("beyond 64 bits", {"amount_base_minor": 2**63}, "TOO_LONG"),
]


@pytest.mark.parametrize(
    ("name", "context", "problem"), BAD_AMOUNTS, ids=[b[0] for b in BAD_AMOUNTS]
)
@pytest.mark.parametrize("policy", list(HitPolicy))
def test_a_closed_point_fails_closed_and_names_the_row(policy, name, context, problem):
    verdict = ask(TABLE, context, policy)
    assert verdict.outcome is Outcome.REVIEW
    assert verdict.reasons[0].code == "INPUT_UNUSABLE"
    assert verdict.reasons[0].text == "amount_base_minor"
    assert verdict.reasons[0].rule == "small"
    assert [(item.field, item.code) for item in verdict.problems] == [
        ("amount_base_minor", problem)
    ]
    assert verdict.obligations["approvals"] == 0


@pytest.mark.parametrize(
    ("name", "context", "problem"), BAD_AMOUNTS, ids=[b[0] for b in BAD_AMOUNTS]
)
def test_an_open_point_skips_the_row_and_notes_it(name, context, problem):
    verdict = ask(TABLE, context | {"restrictions": ["no_withdrawal"]}, point=OPEN_POINT)
    assert verdict.outcome is Outcome.REQUIRE
    results = {result.rule: result.result.value for result in verdict.results}
    assert results == {"small": "ERROR", "middle": "ERROR", "large": "ERROR", "blocked": "HIT"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kyc_level", None),
        ("kyc_level", "2"),
        ("country", 49),
        ("country", "x" * 1001),
        ("restrictions", "no_withdrawal"),
        ("restrictions", [1]),
        ("restrictions", ["x"] * 1001),
        ("us_person", 1),
        ("us_person", "false"),
        ("quantity_millilots", Decimal("0.0001")),
        ("quantity_millilots", Decimal("NaN")),
        ("quantity_millilots", 0.5),
    ],
)
def test_each_kind_refuses_what_it_is_not(field, value):
    condition = {
        "kyc_level": "kyc_level > 0",
        "country": "country == 'DE'",
        "restrictions": "size(restrictions) > 0",
        "us_person": "us_person",
        "quantity_millilots": "quantity_millilots > 0",
    }[field]
    verdict = ask([row("only", condition, "ALLOW")], {"amount_base_minor": 1, field: value})
    assert verdict.outcome is Outcome.REVIEW
    assert verdict.problems[0].field == field


def test_an_input_nobody_reads_may_be_broken():
    verdict = ask([row("only", "kyc_level >= 0", "ALLOW")], {"amount_base_minor": None})
    assert verdict.outcome is Outcome.ALLOW
    assert [item.code for item in verdict.problems] == ["MISSING"]


def test_a_short_circuit_does_not_hide_a_missing_input():
    """CEL answers `true || missing`; a row that reads an unusable input is asked nothing at all."""
    verdict = ask([row("only", "kyc_level >= 0 || amount_base_minor > 0", "ALLOW")], {})
    assert verdict.outcome is Outcome.REVIEW


def test_a_row_that_divides_by_zero_fails_closed():
    verdict = ask(
        [row("only", "amount_base_minor / kyc_level > 1", "ALLOW")],
        {"amount_base_minor": 10, "kyc_level": 0},
    )
    assert verdict.outcome is Outcome.REVIEW
    assert verdict.reasons[0].rule == "only"


def test_nothing_hits_and_the_point_answers_for_itself():
    nothing = [row("never", "amount_base_minor > 5", "ALLOW")]
    assert ask(nothing, {"amount_base_minor": 1}).outcome is Outcome.DENY
    assert ask(nothing, {"amount_base_minor": 1}, point=OPEN_POINT).outcome is Outcome.ALLOW


def test_no_rows_always_deny():
    assert ask([], {"amount_base_minor": 1}, point=OPEN_POINT).outcome is Outcome.DENY


def test_effective_dates_are_half_open():
    dated = row("dated", "true", "ALLOW", valid_from=AT, valid_to=AT + timedelta(days=1))
    context = {"amount_base_minor": 1}
    moments = [AT - timedelta(microseconds=1), AT, AT + timedelta(hours=23), AT + timedelta(days=1)]
    assert [ask([dated], context, at=moment).outcome.value for moment in moments] == [
        "DENY",
        "ALLOW",
        "ALLOW",
        "DENY",
    ]


def test_scope_narrows_a_row_and_fails_closed_without_its_input():
    scoped = row("scoped", "true", "ALLOW", scope={"countries": ("DE", "FR")})
    assert ask([scoped], {"amount_base_minor": 1, "country": "FR"}).outcome is Outcome.ALLOW
    assert ask([scoped], {"amount_base_minor": 1, "country": "ES"}).outcome is Outcome.DENY
    assert ask([scoped], {"amount_base_minor": 1, "country": None}).outcome is Outcome.REVIEW


def test_of_equal_priority_the_entity_speaks_before_the_common_rows():
    own = [row("zz-own", "true", "ALLOW", then={"book": "A"})]
    shared = [row("aa-common", "true", "ALLOW", then={"book": "B"})]
    compiled = compile_set(
        POINT,
        HitPolicy.FIRST,
        [(RuleSource("X/p", 3, ""), own), (RuleSource("COMMON/p", 1, ""), shared)],
    )
    verdict = evaluate(compiled, {"amount_base_minor": 1}, at=AT)
    assert verdict.obligations["book"] == "A"
    assert [source.key for source in compiled.sources] == ["X/p", "COMMON/p"]


def test_a_disabled_row_is_not_there():
    off = replace(SMALL, enabled=False)
    assert ask([off, MIDDLE], {"amount_base_minor": 1}).outcome is Outcome.REVIEW


@pytest.mark.parametrize(
    ("when", "more", "code"),
    [
        ("", {}, "EMPTY"),
        ("   ", {}, "EMPTY"),
        ("true && " * 300 + "true", {}, "TOO_LONG"),
        ("(" * 33 + "true" + ")" * 33, {}, "TOO_DEEP"),
        ("kyc_level in [" + ",".join(["1"] * 1001) + "]", {}, "TOO_LONG"),
        ("kyc_level >", {}, "SYNTAX"),
        ("balance > 5", {}, "UNKNOWN_INPUT"),
        ("email == 'ana@client.example'", {}, "PERSONAL_INPUT"),
        ("exec('x') == 1", {}, "UNKNOWN_FUNCTION"),
        ("kyc_level", {}, "NOT_A_CONDITION"),
        ("kyc_level > '5'", {}, "WRONG_TYPES"),
        ("country > 5", {}, "WRONG_TYPES"),
        (
            "restrictions.exists(a, restrictions.exists(b, restrictions.exists(c, c == a)))",
            {},
            "TOO_MANY_COMPREHENSIONS",
        ),
        ("true", {"then": {"fee": 1}}, "UNKNOWN_OBLIGATION"),
        ("true", {"then": {"approvals": "2"}}, "WRONG_OBLIGATION"),
        ("true", {"then": {"approvals": True}}, "WRONG_OBLIGATION"),
        ("true", {"scope": {"planets": ("MARS",)}}, "UNKNOWN_SCOPE"),
        ("true", {"scope": {"asset_classes": ("FX",)}}, "UNKNOWN_SCOPE"),
    ],
)
def test_a_row_that_does_not_fit_its_point_is_refused(when, more, code):
    with pytest.raises(BadExpression) as refusal:
        compile_set(POINT, HitPolicy.FIRST, [(SOURCE, [row("bad", when, "ALLOW", **more)])])
    assert refusal.value.code == code


def test_a_refusal_without_a_reason_is_refused():
    silent = RuleRow(code="silent", when="true", outcome=Outcome.DENY)
    with pytest.raises(BadExpression) as refusal:
        compile_set(POINT, HitPolicy.FIRST, [(SOURCE, [silent])])
    assert refusal.value.code == "REASON_MISSING"
