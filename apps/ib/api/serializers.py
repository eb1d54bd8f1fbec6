from __future__ import annotations

from rest_framework import serializers

from apps.ib.enums import AccrualState, AgreementState, PayoutState
from apps.ib.models import Accrual, Partner, Payout, Plan, PlanLine, PlanVersion
from apps.ib.performance import masked


class PartnerSerializer(serializers.ModelSerializer[Partner]):
    """A partner; `state` is that of its agreement."""

    state = serializers.ChoiceField(choices=AgreementState.choices)
    entity = serializers.CharField(source="client.entity.code")

    class Meta:
        model = Partner
        fields = ("id", "code", "name", "client_id", "entity", "currency", "state", "created_at")
        read_only_fields = fields


class PlanLineSerializer(serializers.ModelSerializer[PlanLine]):
    rates = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = PlanLine
        fields = ("asset_class", "kind", "rates", "reference_contract", "lot_multiplier")
        read_only_fields = fields


class PlanVersionSerializer(serializers.ModelSerializer[PlanVersion]):
    lines = PlanLineSerializer(many=True)

    class Meta:
        model = PlanVersion
        fields = ("number", "valid_from", "state", "lines")
        read_only_fields = fields


class PlanSerializer(serializers.ModelSerializer[Plan]):
    """A plan with every version of its rates."""

    versions = PlanVersionSerializer(many=True)

    class Meta:
        model = Plan
        fields = ("id", "code", "name", "currency", "tier_mode", "versions")
        read_only_fields = fields


class AccrualSerializer(serializers.ModelSerializer[Accrual]):
    """A commission line with its arithmetic. Partners see the client masked."""

    partner = serializers.CharField(source="partner.code")
    introducer = serializers.CharField(source="introducer.code")
    plan = serializers.CharField(source="plan_version.plan.code")
    plan_version = serializers.IntegerField(source="plan_version.number")
    state = serializers.ChoiceField(choices=AccrualState.choices)
    amount = serializers.DecimalField(
        source="money.amount",
        max_digits=38,
        decimal_places=None,  # type: ignore[arg-type]
    )
    client = serializers.SerializerMethodField()
    payout = serializers.CharField(source="payout.number", default=None, allow_null=True)

    class Meta:
        model = Accrual
        fields = (
            "id", "deal_id", "client", "partner", "introducer", "depth", "plan", "plan_version", "symbol",
            "asset_class", "lots", "kind", "mode", "base", "rate", "rate_currency", "entitlement",
            "paid_below", "fx_rate", "exact", "amount", "currency", "state", "payout", "corrects_id",
            "reason", "earned_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_client(self, row: Accrual) -> str:
        return masked(row.client) if self.context.get("masked") else str(row.client_id)


class PayoutSerializer(serializers.ModelSerializer[Payout]):
    partner = serializers.CharField(source="partner.code")
    state = serializers.ChoiceField(choices=PayoutState.choices)
    amount = serializers.DecimalField(
        source="money.amount",
        max_digits=38,
        decimal_places=None,  # type: ignore[arg-type]
    )

    class Meta:
        model = Payout
        fields = (
            "id", "number", "partner", "amount", "currency", "lines", "cut_off", "state", "paid_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields
