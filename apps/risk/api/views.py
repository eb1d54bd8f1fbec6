"""Exposure over REST, read only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.api import actor_of
from apps.core.errors import Unavailable
from apps.risk.selectors import exposure_now


class ExposureSerializer(serializers.Serializer[Any]):
    """Views (symbols, currencies, asset_classes, books, entities, total) and the state of their sources."""

    views = serializers.DictField(child=serializers.DictField())
    state = serializers.DictField()


class ExposureView(APIView):
    """The exposure within the caller's scope; 503 while nobody computes it, because unknown is not zero."""

    @extend_schema(responses=ExposureSerializer)
    def get(self, request: Request) -> Response:
        now = exposure_now(actor_of(request))
        if now is None:
            raise Unavailable(part="The exposure")
        return Response(now)
