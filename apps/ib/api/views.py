"""Partners, plans, commission lines and payouts over REST. A partner's login sees its own, clients masked."""

from __future__ import annotations

from typing import Any

import django_filters

from apps.core.actor import Actor
from apps.core.api import ReadOnlyBrokerViewSet
from apps.core.pagination import CursorPagination
from apps.ib.api.serializers import (
    AccrualSerializer,
    PartnerSerializer,
    PayoutSerializer,
    PlanSerializer,
)
from apps.ib.enums import AccrualState
from apps.ib.models import Accrual, Partner, Payout, Plan
from apps.ib.permissions import VIEW_PARTNERS
from apps.users.selectors import as_partner, request_actor


class ByEarning(CursorPagination):
    ordering = ("-earned_at", "-id")  # type: ignore[assignment]


class AccrualFilter(django_filters.FilterSet):
    partner = django_filters.CharFilter(field_name="partner__code")
    state = django_filters.ChoiceFilter(choices=AccrualState.choices)
    earned_from = django_filters.IsoDateTimeFilter(field_name="earned_at", lookup_expr="gte")
    earned_until = django_filters.IsoDateTimeFilter(field_name="earned_at", lookup_expr="lt")

    class Meta:
        model = Accrual
        fields = ("partner", "state", "symbol", "deal_id")


class _PartnerViewSet(ReadOnlyBrokerViewSet):
    view_permission = VIEW_PARTNERS

    @property
    def actor(self) -> Actor:
        actor = request_actor(self.request._request)
        return as_partner(actor) if actor.partner_ids else actor

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return self.queryset.all().visible_to(self.actor)  # type: ignore[arg-type, union-attr]


class PartnerViewSet(_PartnerViewSet):
    """Introducing brokers."""

    queryset = Partner.objects.select_related("client__entity").prefetch_related("agreements")
    serializer_class = PartnerSerializer
    filterset_fields = ("code", "currency")


class PlanViewSet(_PartnerViewSet):
    """Commission plans with their versions."""

    queryset = Plan.objects.prefetch_related("versions__lines")
    serializer_class = PlanSerializer
    filterset_fields = ("code", "tier_mode")


class AccrualViewSet(_PartnerViewSet):
    """Commission lines; a correction is a line that points at the first."""

    queryset = Accrual.objects.select_related(
        "partner", "introducer", "client", "plan_version__plan", "payout"
    )
    serializer_class = AccrualSerializer
    filterset_class = AccrualFilter
    pagination_class = ByEarning

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {
            **super().get_serializer_context(),
            "masked": not fake and bool(self.actor.partner_ids),
        }


class PayoutViewSet(_PartnerViewSet):
    """Payments to partners."""

    queryset = Payout.objects.select_related("partner")
    serializer_class = PayoutSerializer
    filterset_fields = ("state", "currency", "number")
