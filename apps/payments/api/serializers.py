from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.payments.enums import Direction, Method
from apps.payments.models import Deposit, Transfer, Withdrawal, WithdrawalCheck

MONEY: Any = {"max_digits": 38, "decimal_places": 18}


class WalletSerializer(serializers.Serializer[Any]):
    """A client's money in one currency outside the trading accounts."""

    currency = serializers.CharField()
    balance = serializers.DecimalField(source="balance.amount", **MONEY)
    held = serializers.DecimalField(source="held.amount", **MONEY)
    available = serializers.DecimalField(source="available.amount", **MONEY)


class DepositSerializer(serializers.ModelSerializer[Deposit]):
    amount = serializers.DecimalField(source="amount.amount", read_only=True, **MONEY)
    fee = serializers.DecimalField(source="fee.amount", read_only=True, **MONEY)
    payment_url = serializers.SerializerMethodField()

    class Meta:
        model = Deposit
        fields = (
            "id", "client", "method", "currency", "amount", "fee", "payment", "credit", "settlement", "why",
            "payment_url", "created_at", "expires_at", "credited_at",
        )  # fmt: skip

    def get_payment_url(self, deposit: Deposit) -> str:
        """Where the client pays, while that is possible."""
        attempts = sorted(deposit.attempts.all(), key=lambda row: row.number)
        return attempts[-1].hosted_url if attempts and deposit.is_open else ""


class DepositCreateSerializer(serializers.Serializer[Any]):
    client = serializers.UUIDField()
    method = serializers.ChoiceField(choices=Method.choices)
    currency = serializers.CharField(max_length=12)
    amount = serializers.DecimalField(**MONEY)


class CheckSerializer(serializers.ModelSerializer[WithdrawalCheck]):
    class Meta:
        model = WithdrawalCheck
        fields = ("code", "result", "evidence", "at")


class WithdrawalSerializer(serializers.ModelSerializer[Withdrawal]):
    amount = serializers.DecimalField(source="amount.amount", read_only=True, **MONEY)
    fee = serializers.DecimalField(source="fee.amount", read_only=True, **MONEY)
    destination = serializers.CharField(source="destination.masked", read_only=True)

    class Meta:
        model = Withdrawal
        fields = (
            "id", "client", "method", "currency", "amount", "fee", "destination", "state", "outcome", "why",
            "approvals_required", "created_at", "approved_at", "sent_at", "ended_at",
        )  # fmt: skip


class WithdrawalCreateSerializer(serializers.Serializer[Any]):
    client = serializers.UUIDField()
    destination = serializers.UUIDField()
    currency = serializers.CharField(max_length=12)
    amount = serializers.DecimalField(**MONEY)


@extend_schema_serializer(component_name="PaymentReason")
class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class TransferSerializer(serializers.ModelSerializer[Transfer]):
    amount = serializers.DecimalField(source="amount.amount", read_only=True, **MONEY)

    class Meta:
        model = Transfer
        fields = (
            "id", "client", "account", "direction", "currency", "amount", "state", "why", "created_at",
            "finished_at",
        )  # fmt: skip


class TransferCreateSerializer(serializers.Serializer[Any]):
    client = serializers.UUIDField()
    account = serializers.UUIDField()
    direction = serializers.ChoiceField(choices=Direction.choices)
    currency = serializers.CharField(max_length=12)
    amount = serializers.DecimalField(**MONEY)
