"""One filter set for each list; the same for the API and exports."""

from __future__ import annotations

import django_filters

from apps.orders.models import Execution, Order, Position


class OrderFilter(django_filters.FilterSet):
    live = django_filters.BooleanFilter(method="filter_live", label="live")

    class Meta:
        model = Order
        fields = {
            "account": ["exact"],
            "symbol": ["exact"],
            "status": ["exact"],
            "client_order_id": ["exact"],
        }

    def filter_live(self, queryset, name, value):  # type: ignore[no-untyped-def]
        return queryset.live() if value else queryset


class ExecutionFilter(django_filters.FilterSet):
    class Meta:
        model = Execution
        fields = {
            "account": ["exact"],
            "symbol": ["exact"],
            "order": ["exact"],
            "at": ["gte", "lt"],
        }


class PositionFilter(django_filters.FilterSet):
    open = django_filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull", label="open")

    class Meta:
        model = Position
        fields = {"account": ["exact"], "symbol": ["exact"]}
