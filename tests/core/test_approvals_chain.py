"""The chain of people as a calculation: whatever order they come in, the same few things always hold."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.approvals.chain import (
    Band,
    Cast,
    Checker,
    Refusal,
    Request,
    Stage,
    at_least,
    chain_for,
    current_stage,
    people_needed,
    problems,
    refusal,
    still_needed,
)

ONE, TWO = (Stage(("pay",), 1),), (Stage(("pay",), 2),)
LARGE = (Stage(("pay",), 1), Stage(("large",), 1))
BANDS = [
    Band(ONE, Decimal(100), frozenset({"LOW"})),
    Band(TWO, Decimal(1000)),
    Band(LARGE),
]


@pytest.mark.parametrize(
    ("amount", "risk", "expected"),
    [
        ("100", "LOW", ONE),
        ("-100", "LOW", ONE),
        ("100.01", "LOW", TWO),
        ("100", "HIGH", TWO),
        ("100", "", TWO),
        ("1000", "LOW", TWO),
        ("1000.01", "LOW", LARGE),
        (None, "LOW", LARGE),
    ],
)
def test_amount_and_risk_choose_the_band(amount, risk, expected):
    assert chain_for(BANDS, None if amount is None else Decimal(amount), risk) == expected


def test_what_no_band_covers_is_an_error_and_never_nobody():
    with pytest.raises(ValueError, match="no band covers"):
        chain_for(BANDS[:2], Decimal(5000), "")


@pytest.mark.parametrize(("people", "needs"), [(1, [1, 1]), (2, [1, 1]), (3, [1, 2]), (5, [1, 4])])
def test_whoever_asks_for_more_people_gets_them_in_the_last_stage(people, needs):
    assert [stage.need for stage in at_least(LARGE, people)] == needs


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ([], ["there is no band"]),
        ([Band(ONE, Decimal(5))], ["the last band covers every amount and every risk"]),
        ([Band(ONE), Band(TWO)], ["a band for everything stands before the last one"]),
        ([Band(())], ["band 1: it has no stage"]),
        ([Band((Stage((), 1),))], ["band 1: a stage names no permission"]),
        ([Band((Stage(("pay",), 0),))], ["band 1: a stage needs nobody"]),
        ([Band((Stage(("pay",), 1, sla_hours=0),))], ["band 1: a stage has no time"]),
        ([Band(ONE, Decimal(0)), Band(ONE)], ["band 1: its limit is not above zero"]),
        (BANDS, []),
    ],
)
def test_a_policy_that_cannot_work_says_why(bands, expected):
    assert problems(bands) == expected


ASKED = Request("maker", 7, frozenset({"client-9"}))


@pytest.mark.parametrize(
    ("checker", "expected"),
    [
        (Checker("a", {"pay"}), None),
        (Checker("a", {"other"}), Refusal.PERMISSION),
        (Checker("maker", {"pay"}), Refusal.MAKER),
        (Checker("a", {"pay"}, authority="maker"), Refusal.MAKER),
        (Checker("maker", {"pay"}, authority="a"), Refusal.MAKER),
        (Checker("a", {"pay"}, identities=frozenset({"client-9"})), Refusal.BENEFICIARY),
        (Checker("voted", {"pay"}), Refusal.TWICE),
        (Checker("lent", {"pay"}), Refusal.TWICE),
        (Checker("a", {"pay"}, authority="voted"), Refusal.TWICE),
        (Checker("voted", {"pay"}, authority="a"), Refusal.TWICE),
    ],
)
def test_who_may_decide_next(checker, expected):
    chain = (Stage(("pay",), 2),)
    assert refusal(chain, [Cast(0, "voted", "lent")], ASKED, checker) == expected


@pytest.mark.parametrize(
    ("desk", "expected"), [(8, None), (7, Refusal.SAME_DESK), (None, Refusal.SAME_DESK)]
)
def test_another_desk_means_a_known_and_different_one(desk, expected):
    chain = (Stage(("pay",), 1, other_desk=True),)
    assert refusal(chain, [], ASKED, Checker("a", {"pay"}, desk)) == expected


def test_an_escalated_stage_gains_the_next_role_once_and_loses_none():
    stage = Stage(("pay",), 2, escalates_to=("senior", "board"))
    once = stage.escalated()
    assert (once.permissions, once.need) == (("pay", "senior"), 2)
    assert once.escalated().permissions == ("pay", "senior", "board")
    assert once.escalated().escalated() == once.escalated()


stages = st.lists(
    st.builds(Stage, st.just(("pay",)), st.integers(1, 3), st.booleans()), min_size=1, max_size=3
).map(tuple)
TRIES = [
    (voter, authority, holds, desk)
    for voter in ("maker", "gainer", *"abcdef")
    for authority in ("", *"abcdef", "maker")
    for holds in (True, False)
    for desk in (7, 8, None)
]
attempts = st.lists(st.sampled_from(TRIES), max_size=20)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stages, attempts)
def test_whoever_tries_in_whatever_order_separation_holds(chain, attempts):
    """Everybody who got through is another person with another authority, none made it or gains from it, no stage
    began before the one before it was complete, and the chain ends with exactly as many people as it needs."""
    asked, cast = Request("maker", 7, frozenset({"gainer"})), []
    for voter, authority, holds, desk in attempts:
        checker = Checker(
            voter, {"pay"} if holds else set(), desk, "" if authority == voter else authority
        )
        before = current_stage(chain, cast)
        if refusal(chain, cast, asked, checker) is None:
            assert holds
            assert before is not None
            assert not chain[before].other_desk or desk == 8
            cast.append(Cast(before, voter, checker.acts_for))
        assert still_needed(chain, cast) >= 0
    named = [name for vote in cast for name in {vote.voter, vote.authority}]
    assert len(named) == len(set(named))
    assert not {"maker", "gainer"} & set(named)
    assert [vote.stage for vote in cast] == sorted(vote.stage for vote in cast)
    assert len(cast) <= people_needed(chain)
    assert (current_stage(chain, cast) is None) == (len(cast) == people_needed(chain))
