"""Money, numbers, states and ages read the same on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template

from apps.core import clock
from apps.core.money import Money
from apps.core.templatetags import brokeros


def rendered(source: str, **values: object) -> str:
    return Template("{% load brokeros %}" + source).render(Context(values))


def test_money_shows_the_currency_s_own_places() -> None:
    assert "1,234.50</data>" in rendered("{% money amount %}", amount=Money.of("1234.5", "USD"))
    assert ">1,235</data>" in rendered("{% money amount 'JPY' %}", amount=Decimal(1235))
    assert "0.00000001</data>" in rendered(
        "{% money amount %}", amount=Money.of("0.00000001", "BTC")
    )


def test_a_loss_has_a_true_minus_and_its_colour() -> None:
    text = rendered("{% money amount tone=True %}", amount=Money.of("-4.5", "USD"))

    assert "\N{MINUS SIGN}4.50" in text
    assert "bo-bad" in text


def test_a_gain_has_a_plus_when_asked() -> None:
    assert "+10.00" in rendered("{% money amount sign=True %}", amount=Money.of("10", "USD"))


def test_minus_nothing_is_nothing() -> None:
    assert brokeros.number(Decimal("-0.001"), 2) == "0.00"


def test_no_amount_is_a_dash() -> None:
    assert rendered("{% money amount 'USD' %}", amount=None) == "\N{EM DASH}"
    assert brokeros.number("not a number") == "\N{EM DASH}"


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("CREDITED", "good"),
        ("REJECTED", "bad"),
        ("PENDING_APPROVAL", "warn"),
        ("SENT", "info"),
        ("OTHER", "plain"),
    ],
)
def test_a_state_has_one_tone_everywhere(state: str, tone: str) -> None:
    assert brokeros.tone_of(state) == tone


def test_no_state_has_two_tones() -> None:
    codes = [code for codes in brokeros.STATES_BY_TONE.values() for code in codes.split()]

    assert len(codes) == len(set(codes))


def test_age_is_the_largest_whole_unit() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with clock.frozen(at):
        assert brokeros.ago(at - timedelta(seconds=20)) == "just now"
        assert brokeros.ago(at - timedelta(minutes=59, seconds=59)) == "59 min ago"
        assert brokeros.ago(at - timedelta(hours=23)) == "23 h ago"
        assert brokeros.ago(at - timedelta(days=1, hours=2)) == "1 day ago"


def test_text_of_people_cannot_become_markup() -> None:
    assert "&lt;b&gt;" in rendered("{% badge 'X' label %}", label="<b>")
    assert "&lt;b&gt;" in rendered("{% money 1 unit %}", unit="<b>")
