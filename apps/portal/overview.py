"""The client's overview: what there is, what is under way, and what to do next."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.portal.selectors import client_of
from apps.users.selectors import request_actor


@login_required
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """The first page after signing in. Somebody who is not a client is told so."""
    client = client_of(request_actor(request))
    if client is None:
        return render(request, "portal/no_client.html", status=403)
    return render(request, "portal/dashboard.html", {"client": client})
