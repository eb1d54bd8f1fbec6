"""The base of the REST API: scoped views, problem details, cursor paging, idempotency keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from rest_framework import exceptions, mixins, serializers, status, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.actor import Actor
from apps.core.context import current_request
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, StepUpRequired
from apps.core.masks import mask_for, masked, may_look_up, personal_fields, personal_lookup
from apps.core.models import IdempotencyRecord
from apps.core.permissions import Permission

PROBLEM = "application/problem+json"
GIVEN_UP_AFTER = timedelta(minutes=5)
_CODES = {400: "INVALID_INPUT", 401: "NOT_SIGNED_IN", 403: "NOT_ALLOWED", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED",
          406: "NOT_ACCEPTABLE", 415: "UNSUPPORTED_MEDIA_TYPE", 429: "TOO_MANY_REQUESTS"}  # fmt: skip


class InProgress(DomainError):
    code = "IDEMPOTENCY_IN_PROGRESS"
    message = "The first request with this Idempotency-Key is still being worked on."
    status = 409


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details with a stable `code`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField()
    errors = serializers.DictField(required=False)  # type: ignore[assignment]


def problem(status_code: int, code: str, detail: str, **extra: Any) -> Response:
    body = {
        "type": f"urn:brokeros:problem:{code.lower()}",
        "title": code.replace("_", " ").capitalize(),
        "status": status_code,
        "code": code,
        "detail": detail,
        "request_id": current_request().request_id,
        **extra,
    }
    return Response(body, status=status_code, content_type=PROBLEM)


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal and every bad input as problem details; anything else stays an error."""
    if isinstance(error, DomainError | StepUpRequired):
        values = {name: str(value) for name, value in error.values.items()}
        return problem(error.status, error.code, str(error), values=values)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, exceptions.ValidationError):
        return problem(400, "INVALID_INPUT", "Some fields are not right.", errors=error.detail)
    if isinstance(error, exceptions.APIException):
        response = problem(
            error.status_code, _CODES.get(error.status_code, "REFUSED"), str(error.detail)
        )
        if getattr(error, "auth_header", None):
            response["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        return response
    return None


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Require `Idempotency-Key` on an unsafe call and answer a repetition with the first answer.

    The same key with another body is refused (422); while the first call is under way the second gets 409.
    A refused call leaves nothing behind, so the key may be used again; so may that of a call whose process
    was killed, after `GIVEN_UP_AFTER`.
    """

    def run(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not 8 <= len(key) <= 255:
            raise InvalidInput(
                field="Idempotency-Key", problem="send 8 to 255 characters that name this request"
            )
        scope = f"{actor_of(request).id} {request.method} {request.path}"[:160]
        digest = hashlib.sha256(request.body if hasattr(request, "body") else b"").hexdigest()
        stored = _claim(scope, key, digest)
        if stored is not None:
            return stored
        record = IdempotencyRecord.objects.get(scope=scope, key=key)
        try:
            response = view(self, request, *args, **kwargs)
        except Exception:
            record.delete()
            raise
        record.state, record.status = IdempotencyRecord.State.DONE, response.status_code
        record.body = json.loads(JSONRenderer().render(response.data))
        record.save()
        return response

    run.__doc__ = view.__doc__
    run.__name__ = view.__name__
    return run


def _claim(scope: str, key: str, digest: str) -> Response | None:
    try:
        with transaction.atomic():
            IdempotencyRecord.objects.create(scope=scope, key=key, request_hash=digest)
        return None
    except IntegrityError:
        record = IdempotencyRecord.objects.get(scope=scope, key=key)
    if record.request_hash != digest:
        conflict = Conflict()
        conflict.status = 422
        raise conflict
    if record.state == IdempotencyRecord.State.IN_PROGRESS:
        if not _take_over(record):
            raise InProgress
        return None
    return Response(record.body, status=record.status, headers={"Idempotency-Replayed": "true"})


def _take_over(record: IdempotencyRecord) -> bool:
    """Claim a call whose process was killed: no call runs as long as this. Of several, one gets it."""
    now = clock.now()
    rows = IdempotencyRecord.objects.filter(
        pk=record.pk,
        state=IdempotencyRecord.State.IN_PROGRESS,
        created_at__lte=now - GIVEN_UP_AFTER,
    )
    return rows.update(created_at=now) == 1


def actor_of(request: Request) -> Actor:
    return request._request.actor  # type: ignore[attr-defined,no-any-return]


class MaskedModelSerializer(serializers.ModelSerializer[Any]):
    """Whatever it shows of personal fields, it shows as the caller's role reads them."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        told: dict[str, Any] = super().to_representation(instance)
        actor = actor_of(self.context["request"])
        for name, field in self.fields.items():
            path = (field.source or "").replace(".", "__")
            for label in personal_lookup(type(instance), path):
                told[name] = masked(told[name], mask_for(actor, label), personal_fields()[label])
        return told


class BrokerViewSet(viewsets.GenericViewSet[Any]):
    """Lists and objects within the actor's scope; `view_permission` is asked before anything is read."""

    view_permission: Permission | str | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.view_permission is not None:
            actor_of(request).require(self.view_permission)

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset.none()
        return queryset.visible_to(actor_of(self.request))  # type: ignore[attr-defined]

    def filter_queryset(self, queryset: Any) -> Any:
        """Refuses to find rows by a field that is masked for the caller. Raises `NotAllowed`."""
        actor = actor_of(self.request)
        for name in self.request.query_params:
            if not may_look_up(actor, queryset.model, name):
                raise NotAllowed(permission=name)
        return super().filter_queryset(queryset)


class ReadOnlyBrokerViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, BrokerViewSet):
    """What can be read and nothing else."""


CREATED = status.HTTP_201_CREATED
