"""The market over REST, read only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ReadOnlyBrokerViewSet
from apps.market.api.serializers import (
    CandleQuerySerializer,
    CandleSerializer,
    InstrumentSerializer,
    QuoteSerializer,
)
from apps.market.feeding import price_text
from apps.market.models import Instrument
from apps.market.selectors import candles, last_quotes, quote_get


class InstrumentViewSet(ReadOnlyBrokerViewSet):
    """Instruments by canonical symbol, with their quote and their bars."""

    queryset = Instrument.objects.select_related("asset_class", "margin_class", "calendar")
    serializer_class = InstrumentSerializer
    lookup_field = "symbol"
    lookup_value_regex = "[A-Za-z0-9._-]+"
    filterset_fields = ("status", "asset_class__code", "base", "quote")

    @extend_schema(responses=QuoteSerializer)
    @action(detail=True, methods=["get"])
    def quote(self, request: Request, symbol: str) -> Response:
        """The latest quote; 409 NO_QUOTE when there has never been one."""
        instrument = get_object_or_404(self.get_queryset(), symbol=symbol)
        return Response(QuoteSerializer(quote_get(instrument.symbol)).data)

    @extend_schema(responses=QuoteSerializer(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def quotes(self, request: Request) -> Response:
        """The latest quote of every instrument that has one."""
        quotes = sorted(last_quotes().values(), key=lambda quote: quote.symbol)
        return Response(QuoteSerializer(quotes, many=True).data)

    @extend_schema(
        parameters=[CandleQuerySerializer], responses=CandleSerializer(many=True), filters=False
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def candles(self, request: Request, symbol: str) -> Response:
        """Bars, oldest first."""
        instrument: Instrument = get_object_or_404(self.get_queryset(), symbol=symbol)
        query = CandleQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        bars = candles(instrument.symbol, **query.validated_data)
        return Response([candle_row(bar, instrument.digits) for bar in bars])


def candle_row(bar: Any, digits: int) -> dict[str, Any]:
    """A bar as charts read it."""
    prices = {
        name: price_text(getattr(bar, name), digits) for name in ("open", "high", "low", "close")
    }
    return {"time": bar.start_us // 1_000_000, **prices, "ticks": bar.ticks}
