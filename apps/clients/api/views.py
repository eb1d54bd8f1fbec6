"""Clients, agreements and restrictions over REST, within the caller's scope."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.clients.api.serializers import (
    AddRestrictionSerializer,
    AgreementSerializer,
    ClientSerializer,
    ReasonSerializer,
    RestrictionSerializer,
)
from apps.clients.models import Agreement, Client, Restriction
from apps.clients.permissions import VIEW_AGREEMENTS, VIEW_CLIENTS, VIEW_RESTRICTIONS
from apps.clients.selectors import agreements_in_force, own_client
from apps.clients.services import agreement_accept, restriction_add, restriction_lift
from apps.core.actor import ActorKind
from apps.core.api import CREATED, ReadOnlyBrokerViewSet, actor_of, idempotent


class ClientViewSet(ReadOnlyBrokerViewSet):
    """Clients with their three axes: lifecycle, verification and restrictions."""

    view_permission = VIEW_CLIENTS
    queryset = Client.objects.select_related("person", "entity").prefetch_related("restrictions")
    serializer_class = ClientSerializer
    filterset_fields = ("lifecycle", "kyc_status", "category", "country", "entity__code", "number")


class AgreementViewSet(ReadOnlyBrokerViewSet):
    """Published documents, every version. A client sees those of the own company that are in force."""

    view_permission = VIEW_AGREEMENTS
    queryset = Agreement.objects.select_related("entity")
    serializer_class = AgreementSerializer
    filterset_fields = ("entity__code", "code", "version", "language")

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Agreement.objects.none()
        actor = actor_of(self.request)
        if actor.kind is ActorKind.CLIENT:
            client = own_client(actor)
            current = agreements_in_force(client.entity_id, language=client.language)
            return Agreement.objects.filter(pk__in=[item.pk for item in current]).select_related(
                "entity"
            )
        return super().get_queryset()

    @extend_schema(request=None, responses={200: AgreementSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def accept(self, request: Request, pk: str | None = None) -> Response:
        """The client accepts this version; the proof keeps its hash, the time and the address."""
        actor = actor_of(request)
        agreement = self.get_object()
        agreement_accept(client_id=own_client(actor).id, agreement_id=agreement.id, actor=actor)
        return Response(AgreementSerializer(agreement).data)


class RestrictionViewSet(ReadOnlyBrokerViewSet):
    """What clients may not do. Reasons may be secret by law, so clients read kinds alone."""

    view_permission = VIEW_RESTRICTIONS
    queryset = Restriction.objects.all()
    serializer_class: type[serializers.BaseSerializer[Any]] = RestrictionSerializer
    filterset_fields = ("client", "kind", "source")

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset
        is_client = actor_of(self.request).kind is ActorKind.CLIENT
        return queryset.none() if is_client else queryset

    @extend_schema(request=AddRestrictionSerializer, responses={201: RestrictionSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add one more reason why a client may not do something."""
        asked = AddRestrictionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        restriction = restriction_add(**asked.validated_data, actor=actor_of(request))
        return Response(RestrictionSerializer(restriction).data, status=CREATED)

    @extend_schema(request=ReasonSerializer, responses={200: RestrictionSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def lift(self, request: Request, pk: str | None = None) -> Response:
        """End this restriction; others of the same kind go on."""
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        restriction = restriction_lift(
            restriction_id=self.get_object().id, actor=actor_of(request), **asked.validated_data
        )
        return Response(RestrictionSerializer(restriction).data)
