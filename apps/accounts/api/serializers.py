from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.adapters import capabilities_of
from apps.accounts.enums import AccountState, RightsLevel
from apps.accounts.models import PlatformServer, TradingAccount


class AccountSerializer(serializers.ModelSerializer[TradingAccount]):
    """A trading account. `rights_delivered` is what the platform has confirmed."""

    account_type = serializers.CharField(source="account_type.code")
    server = serializers.CharField(source="server.code")
    group = serializers.CharField(source="group.code")
    entity = serializers.CharField(source="client.entity.code")
    state = serializers.ChoiceField(choices=AccountState.choices)
    rights_delivered = serializers.ChoiceField(choices=RightsLevel.choices, allow_blank=True)

    class Meta:
        model = TradingAccount
        fields = (
            "id", "client_id", "entity", "login", "account_type", "server", "group", "currency", "mode",
            "leverage", "leverage_cap", "leverage_caps", "state", "rights_wanted", "rights_delivered",
            "rights_delivered_at", "created_at", "activated_at",
        )  # fmt: skip
        read_only_fields = fields


class OpenAccountSerializer(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    account_type = serializers.SlugField(max_length=40)
    currency = serializers.CharField(max_length=8)
    leverage = serializers.IntegerField(min_value=1, max_value=10_000)


class LeverageSerializer(serializers.Serializer[Any]):
    leverage = serializers.IntegerField(min_value=1, max_value=10_000)
    reason = serializers.CharField(min_length=3, max_length=300, default="asked over the API")


class PlatformSerializer(serializers.ModelSerializer[PlatformServer]):
    """A platform server and what it can do."""

    platform = serializers.CharField(source="platform.name")
    capabilities = serializers.SerializerMethodField()

    class Meta:
        model = PlatformServer
        fields = ("id", "code", "name", "platform", "environment", "active", "capabilities")
        read_only_fields = fields

    def get_capabilities(self, row: PlatformServer) -> list[str]:
        return sorted(name.value for name in capabilities_of(row))
