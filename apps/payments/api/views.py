"""Money over the API: the same services as the portal, with an Idempotency-Key on everything that moves some."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.errors import PlatformPending
from apps.clients.selectors import client_list
from apps.core.api import CREATED, ReadOnlyBrokerViewSet, actor_of, idempotent
from apps.core.errors import Busy, InvalidInput
from apps.core.money import Money
from apps.orders.errors import EngineSilent
from apps.payments.api.filters import DepositFilter, TransferFilter, WithdrawalFilter
from apps.payments.api.serializers import (
    CheckSerializer,
    DepositCreateSerializer,
    DepositSerializer,
    ReasonSerializer,
    TransferCreateSerializer,
    TransferSerializer,
    WalletSerializer,
    WithdrawalCreateSerializer,
    WithdrawalSerializer,
)
from apps.payments.models import Deposit, Transfer, Withdrawal
from apps.payments.selectors import checks_of, wallets_of
from apps.payments.services.deposits import deposit_cancel, deposit_create, deposit_start
from apps.payments.services.transfers import transfer_advance, transfer_request
from apps.payments.services.withdrawals import withdrawal_cancel, withdrawal_request

KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)


def request_key(request: Request) -> str:
    """Under which a repeated request is the same request, also when its stored answer is gone."""
    return f"api:{actor_of(request).id}:{request.headers['Idempotency-Key']}"[:200]


def checked(serializer: Any, request: Request) -> dict[str, Any]:
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values


class WalletViewSet(viewsets.ViewSet):
    """`GET /wallets/?client=<id>`: the wallets of one client within the actor's scope."""

    @extend_schema(
        parameters=[OpenApiParameter("client", UUID, required=True)],
        responses=WalletSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        actor_of(request).require("payments.view_deposit")
        try:
            client_id = UUID(request.query_params.get("client", ""))
        except ValueError:
            raise InvalidInput(field="client", problem="an id is needed") from None
        visible = client_list(actor=actor_of(request)).filter(pk=client_id).exists()
        rows = wallets_of(client_id) if visible else []
        return Response(WalletSerializer(rows, many=True).data)


class DepositViewSet(ReadOnlyBrokerViewSet):
    """Deposits, newest first."""

    queryset = Deposit.objects.prefetch_related("attempts")
    serializer_class = DepositSerializer
    filterset_class = DepositFilter
    view_permission = "payments.view_deposit"

    @extend_schema(
        parameters=[KEY], request=DepositCreateSerializer, responses={201: DepositSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask for a payment page; the client pays there."""
        values = checked(DepositCreateSerializer, request)
        actor = actor_of(request)
        deposit = deposit_create(
            client_id=values["client"],
            method=values["method"],
            amount=Money.of(values["amount"], values["currency"]),
            request_key=request_key(request),
            actor=actor,
        )
        deposit_start(deposit_id=deposit.pk, actor=actor)
        fresh = Deposit.objects.prefetch_related("attempts").get(pk=deposit.pk)
        return Response(DepositSerializer(fresh).data, status=CREATED)

    @extend_schema(parameters=[KEY], request=ReasonSerializer, responses=DepositSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Give up before paying."""
        deposit = self.get_object()
        reason = checked(ReasonSerializer, request)["reason"]
        done = deposit_cancel(deposit_id=deposit.pk, actor=actor_of(request), reason=reason)
        return Response(DepositSerializer(done).data)


class WithdrawalViewSet(ReadOnlyBrokerViewSet):
    """Withdrawals, newest first."""

    queryset = Withdrawal.objects.select_related("destination")
    serializer_class = WithdrawalSerializer
    filterset_class = WithdrawalFilter
    view_permission = "payments.view_withdrawal"

    @extend_schema(
        parameters=[KEY], request=WithdrawalCreateSerializer, responses={201: WithdrawalSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Hold the money and put it through the check list."""
        values = checked(WithdrawalCreateSerializer, request)
        withdrawal = withdrawal_request(
            client_id=values["client"],
            amount=Money.of(values["amount"], values["currency"]),
            destination_id=values["destination"],
            request_key=request_key(request),
            actor=actor_of(request),
        )
        return Response(WithdrawalSerializer(withdrawal).data, status=CREATED)

    @extend_schema(parameters=[KEY], request=ReasonSerializer, responses=WithdrawalSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Change one's mind, until it is sent."""
        withdrawal = self.get_object()
        reason = checked(ReasonSerializer, request)["reason"]
        done = withdrawal_cancel(
            withdrawal_id=withdrawal.pk, actor=actor_of(request), reason=reason
        )
        return Response(WithdrawalSerializer(done).data)

    @extend_schema(responses=CheckSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def checks(self, request: Request, pk: str) -> Response:
        """The check list as it came out last. For staff."""
        actor_of(request).require("payments.view_payments")
        return Response(CheckSerializer(checks_of(self.get_object()), many=True).data)


class TransferViewSet(ReadOnlyBrokerViewSet):
    """Transfers inside the house, newest first."""

    queryset = Transfer.objects.all()
    serializer_class = TransferSerializer
    filterset_class = TransferFilter
    view_permission = "payments.view_transfer"

    @extend_schema(
        parameters=[KEY], request=TransferCreateSerializer, responses={201: TransferSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Move money between a wallet and a trading account. It may still be on its way when this answers."""
        values = checked(TransferCreateSerializer, request)
        transfer = transfer_request(
            client_id=values["client"],
            account_id=values["account"],
            direction=values["direction"],
            amount=Money.of(values["amount"], values["currency"]),
            request_key=request_key(request),
            actor=actor_of(request),
        )
        try:
            transfer = transfer_advance(transfer_id=transfer.pk)
        except (PlatformPending, EngineSilent, Busy):
            transfer = Transfer.objects.get(pk=transfer.pk)
        return Response(TransferSerializer(transfer).data, status=CREATED)
