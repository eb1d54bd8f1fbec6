"""The arithmetic of payments, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.payments.routing import RANKS, Offer, advances, fee_minor, name_matches, route


@pytest.mark.parametrize(
    ("amount", "percent", "fixed", "fee"),
    [
        (20000, "1.5", 0, 300),
        (333, "1.5", 0, 5),
        (100, "0.5", 0, 0),
        (300, "0.5", 0, 2),
        (40000, "0", 500, 500),
        (300, "0", 500, 300),
    ],
)
def test_fees_are_rounded_half_even_and_never_more_than_the_amount(amount, percent, fixed, fee):
    assert fee_minor(amount, Decimal(percent), fixed) == fee


def offer(provider: str, *, enabled: bool = True, low: int = 100, high: int = 1000) -> Offer:
    return Offer(provider, enabled, low, high, Decimal(0), 0)


def test_the_rules_order_decides_among_those_that_take_the_amount():
    offers = [offer("a"), offer("b"), offer("c", high=200), offer("d", enabled=False)]
    assert [o.provider for o in route(offers, ["d", "c", "b", "a"], 500)] == ["b", "a"]
    assert [o.provider for o in route(offers, ["c"], 200)] == ["c"]
    assert route(offers, ["x"], 500) == []
    assert route(offers, ["a"], 99) == []


@pytest.mark.parametrize(
    ("known", "told", "news"),
    [
        ("", "created", True),
        ("processing", "requires_action", False),
        ("processing", "processing", False),
        ("expired", "succeeded", True),
        ("failed", "succeeded", True),
        ("succeeded", "failed", False),
        ("failed", "expired", False),
        ("created", "no such word", False),
    ],
)
def test_only_a_higher_rank_is_news(known, told, news):
    assert advances(known, told, RANKS) is news


@pytest.mark.parametrize(
    ("told", "known", "same"),
    [
        ("ANA MARIA LOPEZ", "Ana López", True),
        ("Lopez, Ana", "Ana Lopez", True),
        ("Ana Maria Lopez", "Ana Lopez", True),
        ("Ana", "Ana Lopez", False),
        ("Robert Stranger", "Ana Lopez", False),
        ("", "Ana Lopez", False),
        ("李 小龍", "小龍 李", True),
    ],
)
def test_a_payer_is_the_client_when_the_names_agree(told, known, same):
    assert name_matches(told, known) is same
