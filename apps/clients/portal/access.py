"""Who may open a client's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from apps.clients.selectors import own_client
from apps.core.errors import NotVisible
from apps.users.selectors import request_actor


def client_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Hands the view the client for whom this login acts, as `client`. A login that acts for nobody
    is taken to the portal's first page, which says so."""

    @never_cache
    @login_required
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            client = own_client(request_actor(request))
        except NotVisible:
            return redirect("portal:dashboard")
        return view(request, *args, client=client, **kwargs)

    return page
