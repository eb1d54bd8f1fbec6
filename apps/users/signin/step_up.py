"""The way to a fresh proof and back: where to, what was being done, and what had been typed."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

KEPT = "step_up_kept"
WHY = "step_up_why"
PARAMETER = "kept"
NEVER_KEPT = ("csrfmiddlewaretoken", "submission_key", "password", "secret", "code", "credential")
KEPT_AT_MOST = 20_000


def lead_to_proof(request: HttpRequest, why: str) -> HttpResponse:
    """Send the browser to the page that asks for a proof. A script that fetched the page is told to go there."""
    target = f"{reverse('account_reauthenticate')}?{urlencode({'next': _way_back(request)})}"
    request.session[WHY] = why
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    if request.headers.get("X-Dialog"):
        return HttpResponse(status=403, headers={"X-Step-Up": target})
    return HttpResponseRedirect(target)


def _way_back(request: HttpRequest) -> str:
    """The same page. After a POST it finds what had been typed under a key that works once."""
    if request.method != "POST":
        return request.get_full_path()
    typed = {
        name: request.POST.getlist(name)
        for name in request.POST
        if not any(part in name.lower() for part in NEVER_KEPT)
    }
    if len(str(typed)) > KEPT_AT_MOST:
        return request.path
    key = secrets.token_urlsafe(8)
    request.session[KEPT] = {"key": key, "path": request.path, "typed": typed}
    return f"{request.path}?{urlencode({PARAMETER: key})}"


def restore_kept_input(request: HttpRequest) -> None:
    """`request.kept_input`: what was typed into this page before the proof was asked for. Given out once."""
    kept: dict[str, Any] = {}
    key = request.GET.get(PARAMETER, "") if request.method == "GET" else ""
    if key:
        stored = request.session.get(KEPT) or {}
        if stored.get("key") == key and stored.get("path") == request.path:
            del request.session[KEPT]
            kept = {
                name: values[0] if len(values) == 1 else values
                for name, values in stored["typed"].items()
            }
    request.kept_input = kept  # type: ignore[attr-defined]
