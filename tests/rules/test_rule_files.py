"""The shipped files: they load, their golden cases hold, and ESMA's table is what they say."""

from __future__ import annotations

import pytest

from apps.rules.engine import HitPolicy, Outcome, evaluate
from apps.rules.files import (
    DATA,
    BadRuleFile,
    compile_contents,
    failing_case,
    read_rule_file,
    rule_files,
)
from apps.rules.points import POINTS
from tests.rules.conftest import AT

CONTENTS = list(rule_files())
COMPILED = compile_contents(CONTENTS)
CASES = [(content, case) for content in CONTENTS for case in content.cases]

HEAD = '[[ruleset]]\npoint = "ib.join"\ntitle = "x"\n[[ruleset.rule]]\ncode = "a"\nwhen = "true"\n'

# Decision (EU) 2018/796, Annex I: leverage by class, https://eur-lex.europa.eu/eli/dec/2018/796/oj
ESMA = [
    ("FX_MAJOR", 30),
    ("FX_MINOR", 20),
    ("GOLD", 20),
    ("INDEX_MAJOR", 20),
    ("COMMODITY", 10),
    ("INDEX_MINOR", 10),
    ("EQUITY", 5),
    ("OTHER", 5),
    ("CRYPTO", 2),
]


def test_every_file_loads():
    assert sorted(path.name for path in DATA.glob("*.toml")) == [
        "bos_eu.toml",
        "bos_int.toml",
        "common.toml",
    ]
    assert len(CONTENTS) == 33
    assert len({content.key for content in CONTENTS}) == 33


@pytest.mark.parametrize(
    ("content", "case"), CASES, ids=[f"{content.key}: {case.name}" for content, case in CASES]
)
def test_golden_cases_hold(content, case):
    assert failing_case(COMPILED[content.entity, content.point.code], case, at=AT) == ""


@pytest.mark.parametrize("point", sorted(POINTS))
def test_every_point_has_rules_for_a_client_of_each_entity(point):
    answered = {entity for entity, code in COMPILED if code == point}
    assert "" in answered or answered == {"BOS-EU", "BOS-INT"}


@pytest.mark.parametrize(("margin_class", "cap"), ESMA)
def test_esma_retail_leverage(margin_class, cap):
    rules = COMPILED["BOS-EU", "account.leverage"]

    def ask(leverage):
        context = {"category": "RETAIL", "margin_class": margin_class, "leverage": leverage}
        return evaluate(rules, context, at=AT)

    assert ask(cap).outcome is Outcome.ALLOW
    assert ask(cap).obligations == {
        "max_leverage": cap,
        "close_out_percent": 50,
        "margin_call_percent": 100,
        "negative_balance_protection": True,
        "bonus_allowed": False,
    }
    assert ask(cap + 1).outcome is Outcome.DENY
    assert [reason.code for reason in ask(cap + 1).reasons] == ["LEVERAGE_ABOVE_CAP"]


def test_every_regulatory_row_names_its_source():
    rows = [
        row
        for content in CONTENTS
        if content.key == "BOS-EU/account.leverage"
        for row in content.rows
        if not row.code.startswith("professional")
    ]
    assert len(rows) == 12
    assert {row.source_url for row in rows} == {"https://eur-lex.europa.eu/eli/dec/2018/796/oj"}
    assert {row.verified_on for row in rows} == {"2026-11-20"}


def test_the_points_own_the_hit_policy():
    assert {content.hit_policy for content in CONTENTS if content.point.code == "order.book"} == {
        HitPolicy.FIRST
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("entity = ", "bad.toml"),
        ('[[ruleset]]\npoint = "no.such"\ntitle = "x"\nrule = []', "no point"),
        (
            HEAD + 'outcome = "MAYBE"',
            "MAYBE",
        ),
        (
            HEAD + 'outcome = "ALLOW"\ncolour = "red"',
            "colour",
        ),
        (
            HEAD + 'outcome = "ALLOW"\ncountries = ["@NOWHERE"]',
            "NOWHERE",
        ),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BadRuleFile, match=words):
        read_rule_file(path)
