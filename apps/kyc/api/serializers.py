"""What the API shows of cases and documents. Internal comments are not among it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.kyc.enums import DocumentKind, Side
from apps.kyc.models import Document, KycCase


class DocumentSerializer(serializers.ModelSerializer[Document]):
    client = serializers.UUIDField(source="case.client_id")
    client_comment = serializers.CharField(read_only=True)
    source_sha256 = serializers.CharField(read_only=True)

    class Meta:
        model = Document
        fields = (
            "id", "case", "client", "kind", "side", "country", "issued_on", "expires_on", "state",
            "reject_reason", "client_comment", "content_type", "size_bytes", "source_sha256",
            "created_at", "decided_at",
        )  # fmt: skip
        read_only_fields = fields


class KycCaseSerializer(serializers.ModelSerializer[KycCase]):
    client_comment = serializers.CharField(read_only=True)

    class Meta:
        model = KycCase
        fields = (
            "id", "client", "state", "level", "round", "needed", "client_comment", "submitted_at",
            "review_due_at", "decided_at", "deposit_limit_minor", "withdrawal_limit_minor",
        )  # fmt: skip
        read_only_fields = fields


class UploadSerializer(serializers.Serializer[Any]):
    """One side of one document as multipart/form-data."""

    kind = serializers.ChoiceField(DocumentKind.choices)
    side = serializers.ChoiceField(Side.choices, default=Side.WHOLE)
    country = serializers.CharField(max_length=2, required=False, default="")
    number = serializers.CharField(max_length=40, required=False, default="")
    issued_on = serializers.DateField(required=False, allow_null=True, default=None)
    expires_on = serializers.DateField(required=False, allow_null=True, default=None)
    file = serializers.FileField()
