from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.contrib.auth import logout
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.context import uses_noted
from apps.core.errors import StepUpRequired
from apps.core.masks import seen_by
from apps.users.gates import SAFE, note_uses
from apps.users.selectors import actor_for
from apps.users.signin.policy import is_over, must_enrol, note_activity
from apps.users.signin.step_up import lead_to_proof, restore_kept_input

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ActorMiddleware:
    """Puts `request.actor` beside `request.user`, found when first asked for;
    rows name themselves as this actor may read them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = SimpleLazyObject(lambda: self._actor(request))  # type: ignore[attr-defined]
        with seen_by(request.actor), uses_noted() as used:  # type: ignore[attr-defined]
            response = self.get_response(request)
        done = request.method not in SAFE and response.status_code < HTTPStatus.BAD_REQUEST
        if used and done and getattr(request.user, "is_staff", False):
            note_uses(int(request.user.pk or 0), used)
        return response

    def _actor(self, request: HttpRequest) -> Actor:
        if getattr(request, "impersonation", None) is not None:
            return request.impersonating_actor  # type: ignore[attr-defined,no-any-return]
        return actor_for(request.user, request)  # type: ignore[arg-type]


class SessionPolicyMiddleware:
    """Ends sessions that have been idle or have lasted too long, and leads whoever has to enrol a second factor
    there before anything else."""

    OPEN = ("/account/", "/portal/logout/", "/admin/logout/", "/static/", "/admin/jsi18n/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.get_response(request)
        if is_over(request):
            logout(request)
            messages.info(request, _("You were signed out after a while. Sign in to go on."))
            return self.get_response(request)
        note_activity(request)
        if not request.path.startswith(self.OPEN) and must_enrol(request):
            return self._to_enrolment(request)
        return self.get_response(request)

    def _to_enrolment(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api/"):
            body = {
                "code": "SECOND_FACTOR_REQUIRED",
                "detail": str(_("Your role asks for a second factor; add one first.")),
                "status": 403,
            }
            return JsonResponse(body, status=403, content_type="application/problem+json")
        return HttpResponseRedirect(reverse("mfa_index"))


class StepUpMiddleware:
    """Where a page's act needs a fresh sign-in, leads there and back; what was typed is kept for the way back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        restore_kept_input(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, ReauthenticationRequired) and request.user.is_authenticated:
            return lead_to_proof(request, str(_("Change how you sign in")))
        if not isinstance(error, StepUpRequired):
            return None
        if request.path.startswith("/api/"):
            body = {"code": error.code, "detail": str(error), "status": error.status}
            return JsonResponse(body, status=error.status, content_type="application/problem+json")
        return lead_to_proof(request, str(error))
