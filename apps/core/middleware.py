"""What surrounds each request: its id, and refusals turned into answers that people understand."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from apps.core.addresses import client_address
from apps.core.context import RequestContext, set_request
from apps.core.errors import DomainError

_REQUEST_ID = re.compile(r"^[A-Za-z0-9_.-]{8,64}$")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestContextMiddleware:
    """Gives each request an id, taken from `X-Request-ID` when that is well-formed, and returns it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.match(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        set_request(
            RequestContext(
                request_id=request_id,
                ip=client_address(request.META, settings.TRUSTED_PROXIES),
                user_agent=request.headers.get("User-Agent", "")[:200],
            )
        )
        try:
            response = self.get_response(request)
        finally:
            set_request(None)
        response["X-Request-ID"] = request_id
        return response


class DomainErrorMiddleware:
    """A refusal that no view caught becomes a page that says why, with the status of its kind."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        return render(request, "errors/refused.html", {"error": error}, status=error.status)
