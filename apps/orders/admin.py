"""The dealing blotter: orders, executions, positions, child orders. Nothing is edited here; cancelling is a command."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.admin import BrokerModelAdmin, Transition
from apps.orders.enums import LIVE_STATUSES, OrderStatus
from apps.orders.models import ChildOrder, EngineOffset, Execution, Order, Position
from apps.orders.permissions import CANCEL_ORDER
from apps.orders.services import order_cancel

TONES = {
    OrderStatus.FILLED: "bo-good",
    OrderStatus.REJECTED: "bo-bad",
    OrderStatus.PENDING_CANCEL: "bo-warn",
}


class BlotterAdmin(BrokerModelAdmin):
    """Rows that the engine writes and people only read."""

    show_timeline = False
    list_select_related: Any = ("account__client__person", "account__account_type")

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("lots"))
    def lots(self, obj: Any) -> str:
        return str(obj.lots)


@admin.register(Order)
class OrderAdmin(BlotterAdmin):
    """Every order with its stages, checks, events and executions."""

    list_display = (
        "id", "captured_at", "account", "symbol", "side", "lots", "order_type", "limit", "filled", "average",
        "state", "book", "code",
    )  # fmt: skip
    list_filter = ("status", "side", "book", "order_type", "source")
    search_fields = (
        "=id",
        "=client_order_id",
        "=symbol",
        "=account__login",
        "=account__client__number",
    )
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("account", "client_order_id", "source"),
                    ("symbol", "side", "lots", "book"),
                )
            },
        ),
        (_("Terms"), {"fields": (("order_type", "limit", "tif", "position"),)}),
        (_("Result"), {"fields": (("state", "filled", "average"), ("code", "text", "flagged"))}),
    )
    transitions = (
        Transition(
            "cancel", _("Cancel"), order_cancel, CANCEL_ORDER, target="order_id", tone="danger",
            visible=lambda obj: obj.status in LIVE_STATUSES,
        ),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        computed = ("lots", "limit", "filled", "average", "state")
        return (*super().get_readonly_fields(request, obj), *computed)

    @admin.display(description=_("limit"))
    def limit(self, obj: Order) -> str:
        return str(obj.limit_price or "–")

    @admin.display(description=_("filled"))
    def filled(self, obj: Order) -> str:
        return f"{obj.filled_lots} / {obj.lots}"

    @admin.display(description=_("average price"))
    def average(self, obj: Order) -> str:
        return str(obj.average_price or "–")

    @admin.display(description=_("status"), ordering="status")
    def state(self, obj: Order) -> str:
        return format_html(
            '<span class="{}">{}</span>',
            TONES.get(OrderStatus(obj.status), ""),
            obj.get_status_display(),
        )


@admin.register(Execution)
class ExecutionAdmin(BlotterAdmin):
    list_display = (
        "id", "at", "account", "symbol", "side", "entry", "lots", "deal_price", "realized_money", "commission_money",
        "book", "flagged",
    )  # fmt: skip
    list_filter = ("side", "entry", "book", "flagged")
    search_fields = ("=id", "=order__id", "=symbol", "=account__login")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("order", "account", "position"),
                    ("symbol", "side", "entry", "lots", "book"),
                )
            },
        ),
        (
            _("Price"),
            {"fields": (("deal_price", "bid", "ask"), ("child", "venue_exec_id", "flagged"))},
        ),
        (_("Money"), {"fields": (("realized_money", "commission_money", "currency"), "at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        computed = ("lots", "deal_price", "realized_money", "commission_money")
        return (*super().get_readonly_fields(request, obj), *computed)


@admin.register(Position)
class PositionAdmin(BlotterAdmin):
    list_display = (
        "id",
        "opened_at",
        "account",
        "symbol",
        "side",
        "lots",
        "open_price",
        "book",
        "closed_at",
    )
    list_filter = ("side", "book", "close_reason")
    search_fields = ("=id", "=symbol", "=account__login")
    fieldsets = (
        (None, {"fields": (("account", "symbol", "side", "lots", "open_price", "book"),)}),
        (_("Times"), {"fields": (("opened_at", "updated_at", "closed_at", "close_reason"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "lots", "open_price")


@admin.register(ChildOrder)
class ChildOrderAdmin(BlotterAdmin):
    """What was sent to venues, and what they said."""

    list_display = (
        "id",
        "created_at",
        "venue",
        "symbol",
        "side",
        "lots",
        "status",
        "average_price",
        "unknown_since",
    )
    list_filter = ("venue", "status", "side")
    search_fields = ("=id", "=order__id", "=venue_order_id")
    fieldsets = (
        (
            None,
            {"fields": (("order", "account", "venue"), ("symbol", "side", "lots", "limit_price"))},
        ),
        (
            _("Result"),
            {"fields": (("status", "average_price", "final_code"), ("venue_order_id", "exec_ids"))},
        ),
        (_("Times"), {"fields": (("created_at", "updated_at", "unknown_since"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "lots", "average_price")


@admin.register(EngineOffset)
class EngineOffsetAdmin(BlotterAdmin):
    """How far each engine has come."""

    list_select_related = False
    list_display = ("shard", "epoch", "last_stream_id", "sequence", "journal", "updated_at")
