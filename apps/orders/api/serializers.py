"""Orders as integrators see them: lots and prices as decimal strings, states as FIX codes with their names."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.orders.models import Execution, Order, Position


class OrderCreateSerializer(serializers.Serializer[Any]):
    """What a new order needs. The same `client_order_id` with the same content answers with the first order."""

    account = serializers.UUIDField()
    client_order_id = serializers.CharField(max_length=64)
    symbol = serializers.CharField(max_length=24)
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    type = serializers.ChoiceField(choices=["MARKET", "LIMIT"])
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4, min_value=0)
    limit_price = serializers.DecimalField(
        max_digits=20, decimal_places=8, min_value=0, required=False, allow_null=True
    )
    time_in_force = serializers.ChoiceField(choices=["GTC", "DAY", "IOC", "FOK"], required=False)
    position = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True
    )


class CancelSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class CloseSerializer(serializers.Serializer[Any]):
    client_order_id = serializers.CharField(max_length=64)
    quantity = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, required=False, allow_null=True
    )


class OrderReplySerializer(serializers.Serializer[Any]):
    """Where an order stands, given after it is committed."""

    accepted = serializers.BooleanField()
    order_id = serializers.IntegerField(allow_null=True)
    status = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()
    filled_lots = serializers.DecimalField(max_digits=20, decimal_places=8)
    open_lots = serializers.DecimalField(max_digits=20, decimal_places=8)
    average_price = serializers.DecimalField(max_digits=20, decimal_places=9, allow_null=True)
    position_id = serializers.IntegerField(allow_null=True)
    duplicate = serializers.BooleanField()
    failing = serializers.ListField(child=serializers.CharField())


class OrderSerializer(serializers.ModelSerializer[Order]):
    side = serializers.CharField(source="get_side_display", read_only=True)
    lots = serializers.DecimalField(max_digits=20, decimal_places=8, read_only=True)
    filled_lots = serializers.DecimalField(max_digits=20, decimal_places=8, read_only=True)
    open_lots = serializers.DecimalField(max_digits=20, decimal_places=8, read_only=True)
    limit_price = serializers.DecimalField(
        max_digits=20, decimal_places=8, read_only=True, allow_null=True
    )
    average_price = serializers.DecimalField(
        max_digits=20, decimal_places=9, read_only=True, allow_null=True
    )
    status_name = serializers.CharField(source="get_status_display", read_only=True)

    class Meta:
        model = Order
        fields = (
            "id", "account", "client_order_id", "symbol", "side", "order_type", "tif", "lots", "limit_price",
            "status", "status_name", "filled_lots", "open_lots", "average_price", "position", "opened", "code",
            "text", "failing", "captured_at", "executed_at", "ended_at",
        )  # fmt: skip


class ExecutionSerializer(serializers.ModelSerializer[Execution]):
    side = serializers.CharField(source="get_side_display", read_only=True)
    lots = serializers.DecimalField(max_digits=20, decimal_places=8, read_only=True)
    price = serializers.DecimalField(
        source="deal_price", max_digits=20, decimal_places=8, read_only=True
    )
    realized_pnl = serializers.DecimalField(
        source="realized_money.amount", max_digits=20, decimal_places=8, read_only=True
    )
    commission = serializers.DecimalField(
        source="commission_money.amount", max_digits=20, decimal_places=8, read_only=True
    )

    class Meta:
        model = Execution
        fields = (
            "id", "order", "account", "position", "symbol", "side", "entry", "lots", "price", "realized_pnl",
            "commission", "currency", "at",
        )  # fmt: skip


class PositionSerializer(serializers.ModelSerializer[Position]):
    side = serializers.CharField(source="get_side_display", read_only=True)
    lots = serializers.DecimalField(max_digits=20, decimal_places=8, read_only=True)
    open_price = serializers.DecimalField(
        max_digits=20, decimal_places=9, read_only=True, allow_null=True
    )

    class Meta:
        model = Position
        fields = (
            "id", "account", "symbol", "side", "lots", "open_price", "opened_at", "closed_at", "close_reason",
        )  # fmt: skip
