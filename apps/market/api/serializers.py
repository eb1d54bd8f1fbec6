"""What integrators read of the market."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.market.bars import INTERVAL_MINUTES
from apps.market.models import Instrument


class InstrumentSerializer(serializers.ModelSerializer[Instrument]):
    """An instrument with its terms, limits and state."""

    asset_class = serializers.CharField(source="asset_class.code")
    margin_class = serializers.CharField(source="margin_class.code")
    calendar = serializers.CharField(source="calendar.code")

    class Meta:
        model = Instrument
        fields = (
            "symbol",
            "name",
            "asset_class",
            "margin_class",
            "calendar",
            "base",
            "quote",
            "contract_size",
            "digits",
            "tick_size",
            "lot_step",
            "min_lot",
            "max_lot",
            "margin_rate",
            "swap_long_points",
            "swap_short_points",
            "triple_swap_weekday",
            "expires_on",
            "isin",
            "cfi",
            "status",
        )
        read_only_fields = fields


class QuoteSerializer(serializers.Serializer[Any]):
    """The best bid and offer at a moment."""

    symbol = serializers.CharField()
    bid = serializers.DecimalField(max_digits=20, decimal_places=8, normalize_output=True)
    ask = serializers.DecimalField(max_digits=20, decimal_places=8, normalize_output=True)
    spread_points = serializers.IntegerField()
    at = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]


class CandleSerializer(serializers.Serializer[Any]):
    """One bar of bid prices; `time` is its start in seconds since the epoch."""

    time = serializers.IntegerField()
    open = serializers.CharField()
    high = serializers.CharField()
    low = serializers.CharField()
    close = serializers.CharField()
    ticks = serializers.IntegerField()


class CandleQuerySerializer(serializers.Serializer[Any]):
    """Which bars."""

    interval = serializers.ChoiceField(choices=list(INTERVAL_MINUTES), default="M5")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=300)
