"""The arithmetic of the risk rating, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from apps.kyc.risk import Profile, assess
from apps.kyc.selectors import risk_model

PLAIN = Profile(
    countries=("DE",),
    age_years=36,
    employment="EMPLOYED",
    annual_income="50-100K",
    planned_deposits="0-10K",
    source_of_funds=("SALARY",),
)


@pytest.mark.parametrize(
    ("change", "score", "rating"),
    [
        ({}, 4 + 5, "LOW"),
        ({"by_partner": True}, 4 + 4, "LOW"),
        ({"countries": ("BR",)}, 12 + 5, "LOW"),
        ({"countries": ("DE", "VN")}, 25 + 5, "MEDIUM"),
        ({"countries": ("DE", "IR")}, 60 + 5, "PROHIBITED"),
        ({"pep": True}, 4 + 40 + 5, "HIGH"),
        ({"has_tax_id": False, "age_years": 24}, 4 + 8 + 4 + 5, "LOW"),
        (
            {"employment": "UNEMPLOYED", "annual_income": "0-25K", "planned_deposits": "250K+"},
            4 + 10 + 18 + 10 + 5,
            "MEDIUM",
        ),
        ({"source_of_funds": ("SALARY", "INHERITANCE")}, 4 + 8 + 5, "LOW"),
        ({"annual_income": "25-50K", "planned_deposits": "50-250K"}, 4 + 10 + 10 + 5, "LOW"),
    ],
)
def test_points_add_up(change, score, rating):
    found = assess(replace(PLAIN, **change), risk_model())
    assert (found.score, found.rating) == (score, rating)
    assert sum(factor.points for factor in found.factors) == score


@examples(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(["DE", "BR", "VN", "IR", "US"]), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["0-10K", "10-50K", "50-250K", "250K+", ""]),
)
def test_more_risk_never_lowers_the_rating(countries, pep, us_person, plan):
    order = ["LOW", "MEDIUM", "HIGH", "PROHIBITED"]
    profile = replace(PLAIN, countries=tuple(countries), us_person=us_person, planned_deposits=plan)
    calm = assess(profile, risk_model())
    worse = assess(replace(profile, pep=True, has_tax_id=False), risk_model())
    assert order.index(worse.rating) >= order.index(calm.rating)
    assert 0 <= calm.score <= worse.score <= 100
    if pep:
        assert order.index(worse.rating) >= order.index("HIGH")
