"""Trading accounts and platforms over REST, within the caller's scope."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.filters import AccountFilter
from apps.accounts.api.serializers import (
    AccountSerializer,
    LeverageSerializer,
    OpenAccountSerializer,
    PlatformSerializer,
)
from apps.accounts.models import PlatformServer, TradingAccount
from apps.accounts.permissions import VIEW_ACCOUNTS, VIEW_PLATFORMS
from apps.accounts.selectors import account_get
from apps.accounts.services import account_change_leverage, account_open
from apps.core.api import CREATED, ReadOnlyBrokerViewSet, actor_of, idempotent


class AccountViewSet(ReadOnlyBrokerViewSet):
    """Trading accounts. Opening one answers at once; it is active when its state says so."""

    view_permission = VIEW_ACCOUNTS
    queryset = TradingAccount.objects.select_related(
        "client__entity", "account_type", "server", "group"
    )
    serializer_class = AccountSerializer
    filterset_class = AccountFilter

    @extend_schema(request=OpenAccountSerializer, responses={201: AccountSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Open an account. The Idempotency-Key is also the key of the request itself."""
        asked = OpenAccountSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(asked.validated_data)
        actor = actor_of(request)
        account = account_open(
            **values,
            actor=actor,
            request_key=f"api:{request.headers['Idempotency-Key']}"[:80],
            reason="asked over the API",
        )
        stored = account_get(account.id, actor=actor)
        return Response(AccountSerializer(stored).data, status=CREATED)

    @extend_schema(request=LeverageSerializer, responses={202: AccountSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def leverage(self, request: Request, pk: str | None = None) -> Response:
        """Ask for another leverage; the account shows it when the platform has confirmed."""
        asked = LeverageSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        account = self.get_object()
        account_change_leverage(
            account_id=account.id, actor=actor_of(request), **asked.validated_data
        )
        return Response(AccountSerializer(self.get_object()).data, status=202)


class PlatformViewSet(ReadOnlyBrokerViewSet):
    """Platform servers with what each can do."""

    view_permission = VIEW_PLATFORMS
    queryset = PlatformServer.objects.select_related("platform")
    serializer_class = PlatformSerializer
    filterset_fields = ("environment", "active")
