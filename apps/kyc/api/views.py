"""KYC cases and documents over REST, within the caller's scope."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.clients.selectors import own_client
from apps.core.actor import ActorKind
from apps.core.api import CREATED, ReadOnlyBrokerViewSet, actor_of
from apps.kyc.api.serializers import DocumentSerializer, KycCaseSerializer, UploadSerializer
from apps.kyc.models import Document, KycCase
from apps.kyc.permissions import VIEW_CASES, VIEW_DOCUMENTS
from apps.kyc.responses import document_response
from apps.kyc.services import case_submit, document_open, document_upload
from apps.kyc.vault.inspect import MAX_BYTES


class KycCaseViewSet(ReadOnlyBrokerViewSet):
    """Cases. An escalated one reads as in review to the client, who is told nothing of it."""

    view_permission = VIEW_CASES
    queryset = KycCase.objects.all()
    serializer_class = KycCaseSerializer
    filterset_fields = ("state", "level", "client")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._told(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._told(request, super().retrieve(request, *args, **kwargs))

    @extend_schema(request=None, responses={200: KycCaseSerializer})
    @action(detail=False, methods=["post"])
    def submit(self, request: Request) -> Response:
        """The caller's own case is handed in; a repetition finds it done."""
        actor = actor_of(request)
        case = case_submit(client_id=own_client(actor).id, actor=actor)
        return self._told(request, Response(KycCaseSerializer(case).data))

    def _told(self, request: Request, response: Response) -> Response:
        if actor_of(request).kind is not ActorKind.CLIENT:
            return response
        rows = response.data.get("results", [response.data])
        for row in rows:
            if row["state"] == "ESCALATED":
                row["state"] = "MANUAL_REVIEW"
        return response


class DocumentViewSet(ReadOnlyBrokerViewSet):
    """Documents without their content; `file` gives it, and every look is recorded."""

    view_permission = VIEW_DOCUMENTS
    queryset = Document.objects.select_related("case")
    serializer_class = DocumentSerializer
    filterset_fields = ("state", "kind", "case", "case__client")
    parser_classes = (MultiPartParser,)

    @extend_schema(request=UploadSerializer, responses={201: DocumentSerializer})
    def create(self, request: Request) -> Response:
        """Send one's own document. The same file again is the same document."""
        asked = UploadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        file = values.pop("file")
        actor = actor_of(request)
        document = document_upload(
            client_id=own_client(actor).id,
            content=file.read(MAX_BYTES + 1),
            original_name=file.name or "document",
            actor=actor,
            **values,
        )
        return Response(DocumentSerializer(document).data, status=CREATED)

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str | None = None) -> Any:
        """The picture or PDF itself."""
        document, content = document_open(
            document_id=self.get_object().id, purpose="interface", actor=actor_of(request)
        )
        return document_response(document, content)
