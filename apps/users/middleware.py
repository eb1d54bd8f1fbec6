from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.functional import SimpleLazyObject

from apps.core.errors import StepUpRequired
from apps.core.masks import seen_by
from apps.users.selectors import actor_for
from apps.users.signin.step_up import lead_to_proof, restore_kept_input

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ActorMiddleware:
    """Puts `request.actor` beside `request.user`, found when first asked for;
    rows name themselves as this actor may read them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = SimpleLazyObject(lambda: actor_for(request.user, request))  # type: ignore[attr-defined]
        with seen_by(request.actor):  # type: ignore[attr-defined]
            return self.get_response(request)


class StepUpMiddleware:
    """Where a page's act needs a fresh sign-in, leads there and back; what was typed is kept for the way back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        restore_kept_input(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, StepUpRequired):
            return None
        if request.path.startswith("/api/"):
            body = {"code": error.code, "detail": str(error), "status": error.status}
            return JsonResponse(body, status=error.status, content_type="application/problem+json")
        return lead_to_proof(request, str(error))
