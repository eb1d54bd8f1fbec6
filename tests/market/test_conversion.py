"""Conversion through the currency graph, on the side that is worse for the client."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.money import Money
from apps.market.conversion import PairRate, RateGraph
from apps.market.enums import ConversionSide
from apps.market.errors import NoConversion, NoQuote
from apps.market.selectors import conversion_rate, convert, quote_get

D = Decimal
GRAPH = RateGraph(
    [
        PairRate("GBPUSD", "GBP", "USD", D("1.2500"), D("1.2502")),
        PairRate("USDJPY", "USD", "JPY", D("150.00"), D("150.02")),
        PairRate("EURUSD", "EUR", "USD", D("1.0800"), D("1.0802")),
        PairRate("EURJPY", "EUR", "JPY", D("162.00"), D("162.04")),
    ]
)


def test_a_gain_is_bought_at_the_ask_and_a_loss_costs_the_bid():
    gain = GRAPH.rate("USD", "GBP", ConversionSide.RECEIVE)
    loss = GRAPH.rate("USD", "GBP", ConversionSide.PAY)

    assert Money.rounded(D(375) * gain, "GBP") == Money.of("299.95", "GBP")
    assert Money.rounded(D(375) * loss, "GBP") == Money.of("300.00", "GBP")


def test_selling_the_base_takes_the_bid():
    assert GRAPH.rate("GBP", "USD", ConversionSide.RECEIVE) == D("1.2500")
    assert GRAPH.rate("GBP", "USD", ConversionSide.PAY) == D("1.2502")
    assert GRAPH.rate("GBP", "USD", ConversionSide.MID) == D("1.2501")


def test_a_quoted_cross_is_used_before_two_legs():
    assert [p.symbol for p in GRAPH.path("EUR", "JPY")] == ["EURJPY"]
    assert GRAPH.rate("EUR", "JPY", ConversionSide.RECEIVE) == D("162.00")


def test_two_legs_take_the_worse_side_on_each():
    rate = GRAPH.rate("GBP", "JPY", ConversionSide.RECEIVE)

    assert [p.symbol for p in GRAPH.path("GBP", "JPY")] == ["GBPUSD", "USDJPY"]
    assert rate == D("1.2500") * D("150.00")


def test_a_currency_is_itself_and_an_island_has_no_rate():
    assert GRAPH.rate("USD", "USD") == 1
    assert GRAPH.rate("USD", "CHF") is None
    assert GRAPH.rate("SEK", "CHF") is None


def test_money_is_converted_at_the_last_quotes(master, quote):
    quote("GBPUSD", "1.25000", "1.25020")

    assert convert(Money.of("375", "USD"), "GBP") == Money.of("299.95", "GBP")
    assert convert(Money.of("-375", "USD"), "GBP") == Money.of("-300.00", "GBP")
    assert convert(Money.of("375", "USD"), "USD") == Money.of("375.00", "USD")


def test_without_a_price_there_is_no_conversion(master, quote):
    quote("GBPUSD", "1.25000", "1.25020")

    with pytest.raises(NoConversion) as refused:
        conversion_rate("USD", "CHF")
    assert refused.value.values == {"source": "USD", "target": "CHF"}
    with pytest.raises(NoQuote):
        quote_get("USDCHF")
