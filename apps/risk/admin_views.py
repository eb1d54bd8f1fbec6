"""Pages of the back office that belong to no row: live exposure and what it is made of."""

from __future__ import annotations

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.admin import actor_of
from apps.market.selectors import instrument_get, last_quote
from apps.orders.permissions import SET_KILL_SWITCH
from apps.risk.models import KillSwitch
from apps.risk.selectors import exposure_now, exposure_scope, positions_behind

PER_PAGE = 50


def exposure_page(request: HttpRequest) -> HttpResponse:
    """The page that the WebSocket keeps alive. Raises `NotAllowed`."""
    actor = actor_of(request)
    scope = exposure_scope(actor)
    context = {
        **admin.site.each_context(request),
        "title": _("Live exposure"),
        "switches": KillSwitch.objects.visible_to(actor).in_force(),
        "may_trip": actor.allows(SET_KILL_SWITCH),
        "entities": sorted(scope.entities) if scope.entities is not None else None,
        "drill_url": reverse("admin-risk-exposure-symbol", args=["SYMBOL"]),
    }
    return render(request, "risk/exposure.html", context)


def symbol_page(request: HttpRequest, symbol: str) -> HttpResponse:
    """The positions behind one symbol's exposure. Raises `NotAllowed`, `UnknownInstrument`."""
    actor = actor_of(request)
    exposure_scope(actor)
    instrument = instrument_get(symbol)
    now = exposure_now(actor)
    positions = positions_behind(symbol, actor)
    context = {
        **admin.site.each_context(request),
        "title": _("Exposure in {}").format(symbol),
        "instrument": instrument,
        "quote": last_quote(symbol),
        "row": now["views"]["symbols"].get(symbol) if now else None,
        "page": Paginator(positions, PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "risk/exposure_symbol.html", context)
