"""The address that partners hand out."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.clients.portal.views import PARTNER_COOKIE
from apps.core import clock
from apps.core.actor import Actor
from apps.core.context import current_request
from apps.ib.services import click_record

KEPT_SECONDS = 30 * 24 * 3600
CLICKS = Actor.system("referral")


@never_cache
@require_GET
def referral(request: HttpRequest, code: str) -> HttpResponse:
    """Count the visit, remember the code, go on to the registration. An unknown code just goes on."""
    link = click_record(code=code, visitor=_visitor(request), actor=CLICKS)
    response = redirect("portal:clients-register")
    if link is not None:
        response.set_cookie(
            PARTNER_COOKIE,
            link.code,
            max_age=KEPT_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


def _visitor(request: HttpRequest) -> str:
    """A digest that changes every day: it tells visits apart and names nobody."""
    seen = f"{current_request().ip} {request.headers.get('User-Agent', '')}"
    salted = f"{settings.SECRET_KEY} {clock.now():%Y-%m-%d} {seen}"
    return hashlib.sha256(salted.encode()).hexdigest()[:32]
