from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import CurrencyMismatch, InexactAmount, Money


def test_an_amount_finer_than_the_currency_is_refused():
    with pytest.raises(InexactAmount):
        Money.of("10.001", "EUR")
    with pytest.raises(InexactAmount):
        Money.of("10.5", "JPY")


def test_different_currencies_never_mix():
    for operation in (
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a >= b,
    ):
        with pytest.raises(CurrencyMismatch):
            operation(Money.of(1, "EUR"), Money.of(1, "USD"))


def test_a_float_is_not_money():
    with pytest.raises(TypeError):
        Money(10.0, "EUR")  # type: ignore[arg-type]


def test_minor_units_follow_the_currency():
    assert Money.of("12.34", "EUR").minor == 1234
    assert Money.of("1234", "JPY").minor == 1234
    assert Money.of("0.00000001", "BTC").minor == 1
    assert str(Money.from_minor(123456, "USD")) == "1,234.56 USD"


def test_half_a_cent_goes_to_the_even_neighbour():
    assert Money.rounded(Decimal("0.125"), "USD") == Money.of("0.12", "USD")
    assert Money.rounded(Decimal("0.135"), "USD") == Money.of("0.14", "USD")


def test_five_cents_over_seven_equal_shares_go_to_the_first_five():
    parts = Money.of("0.05", "USD").split([1] * 7)
    assert [part.minor for part in parts] == [1, 1, 1, 1, 1, 0, 0]


@given(
    minor=st.integers(-(10**15), 10**15),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any),
)
def test_parts_always_sum_to_the_whole(minor, weights):
    whole = Money.from_minor(minor, "EUR")
    parts = whole.split(weights)
    assert sum(part.minor for part in parts) == minor
    exact = [abs(minor) * w / sum(weights) for w in weights]
    assert all(abs(abs(p.minor) - e) <= 1 for p, e in zip(parts, exact, strict=True))
