"""Decision receipts over REST, within the caller's scope."""

from __future__ import annotations

from apps.core.api import ReadOnlyBrokerViewSet
from apps.core.pagination import CursorPagination
from apps.rules.api.serializers import DecisionSerializer
from apps.rules.models import DecisionLog
from apps.rules.permissions import VIEW_DECISIONS


class NewestFirst(CursorPagination):
    """By the moment of the decision."""

    ordering = ("-decided_at", "-id")  # type: ignore[assignment]


class DecisionViewSet(ReadOnlyBrokerViewSet):
    """Every decision with its receipt. Filter by point, outcome, entity, client and subject."""

    view_permission = VIEW_DECISIONS
    queryset = DecisionLog.objects.all()
    serializer_class = DecisionSerializer
    filterset_fields = ("point", "outcome", "entity", "client_id", "subject_type", "subject_id")
    pagination_class = NewestFirst
