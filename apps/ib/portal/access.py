"""Who may open a partner's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from apps.ib.models import Partner
from apps.users.selectors import as_partner, request_actor


def partner_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Hands the view the partner that this login is, and the actor in that capacity. Somebody who is none yet
    is taken to the application."""

    @never_cache
    @login_required
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        actor = as_partner(request_actor(request))
        partner = (
            Partner.objects.filter(pk__in=actor.partner_ids)
            .select_related("client__entity")
            .prefetch_related("agreements")
            .order_by("created_at")
            .first()
        )
        if partner is None:
            return redirect("partner:apply")
        return view(request, *args, partner=partner, actor=actor, **kwargs)

    return page
