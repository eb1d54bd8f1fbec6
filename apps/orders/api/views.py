"""Orders, executions and positions over the API: the services of the portal, with the engine's own idempotency."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import CREATED, ReadOnlyBrokerViewSet, actor_of
from apps.core.pagination import CursorPagination
from apps.orders.api.filters import ExecutionFilter, OrderFilter, PositionFilter
from apps.orders.api.serializers import (
    CancelSerializer,
    CloseSerializer,
    ExecutionSerializer,
    OrderCreateSerializer,
    OrderReplySerializer,
    OrderSerializer,
    PositionSerializer,
)
from apps.orders.models import Execution, Order, Position
from apps.orders.permissions import VIEW_EXECUTION, VIEW_ORDER, VIEW_POSITION
from apps.orders.services import OrderReply, order_cancel, order_submit, position_close


def _answer(reply: OrderReply) -> Response:
    """201 for an order that was taken, 200 for one that was known, 422 for one that the engine refused."""
    code: int = CREATED if reply.accepted else status.HTTP_422_UNPROCESSABLE_ENTITY
    if reply.duplicate and reply.accepted:
        code = status.HTTP_200_OK
    return Response(OrderReplySerializer(reply).data, status=code)


class ByTicket(CursorPagination):
    """Newest first: ticket numbers only grow."""

    ordering = "-id"


class OrderViewSet(ReadOnlyBrokerViewSet):
    """Orders; a new one is answered after it is committed."""

    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    pagination_class = ByTicket
    filterset_class = OrderFilter
    view_permission = VIEW_ORDER
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        request=OrderCreateSerializer,
        responses={200: OrderReplySerializer, 201: OrderReplySerializer, 422: OrderReplySerializer},
    )
    def create(self, request: Request) -> Response:
        """Place an order. Safe to repeat with the same `client_order_id`."""
        values = _checked(OrderCreateSerializer, request)
        return _answer(
            order_submit(
                account_id=values["account"],
                client_order_id=values["client_order_id"],
                symbol=values["symbol"],
                side=values["side"],
                type=values["type"],
                quantity=values["quantity"],
                limit_price=values.get("limit_price"),
                tif=values.get("time_in_force"),
                position_id=values.get("position"),
                actor=actor_of(request),
                source="api",
            )
        )

    @extend_schema(request=CancelSerializer, responses=OrderSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel what is open."""
        values = _checked(CancelSerializer, request)
        order = order_cancel(order_id=int(pk), actor=actor_of(request), reason=values["reason"])
        return Response(OrderSerializer(order).data)


class ExecutionViewSet(ReadOnlyBrokerViewSet):
    """Deals."""

    queryset = Execution.objects.all()
    serializer_class = ExecutionSerializer
    pagination_class = ByTicket
    filterset_class = ExecutionFilter
    view_permission = VIEW_EXECUTION
    lookup_value_regex = "[0-9]{1,18}"


class PositionViewSet(ReadOnlyBrokerViewSet):
    """Positions, open and closed."""

    queryset = Position.objects.all()
    serializer_class = PositionSerializer
    pagination_class = ByTicket
    filterset_class = PositionFilter
    view_permission = VIEW_POSITION
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        request=CloseSerializer,
        responses={200: OrderReplySerializer, 201: OrderReplySerializer, 422: OrderReplySerializer},
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close the position, or `quantity` lots of it, at market."""
        values = _checked(CloseSerializer, request)
        return _answer(
            position_close(
                position_id=int(pk),
                client_order_id=values["client_order_id"],
                quantity=values.get("quantity"),
                actor=actor_of(request),
                source="api",
            )
        )


def _checked(serializer: Any, request: Request) -> dict[str, Any]:
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values
