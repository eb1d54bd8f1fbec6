"""The pages of one's own notifications: the drop-down, the history, the choices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.notifications.kinds import KINDS
from apps.core.notifications.selectors import LATEST, bell_of, choices_of, notification_list
from apps.core.notifications.services import (
    notification_read,
    notifications_read_all,
    preference_set,
)

PER_PAGE = 30


def _actor(request: HttpRequest) -> Any:
    return request.actor  # type: ignore[attr-defined]


def _frame(request: HttpRequest, title: str) -> dict[str, Any]:
    """Staff read it in the back office, everybody else in the portal."""
    if request.user.is_staff:  # type: ignore[union-attr]
        return {**admin.site.each_context(request), "base": "admin/base_site.html", "title": title}
    return {"base": "portal/base.html", "title": title}


@never_cache
@login_required
@require_GET
def feed(request: HttpRequest) -> HttpResponse:
    """What the bell opens: the newest few and how many are unread."""
    actor = _actor(request)
    context = {
        "rows": list(notification_list(actor)[:LATEST]),
        "bell": bell_of(actor.user_id),
        "kinds": KINDS,
    }
    return render(request, "notifications/feed.html", context)


@never_cache
@login_required
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """Everything that one was told, newest first."""
    actor = _actor(request)
    kind = request.GET.get("kind", "")
    unread = request.GET.get("unread") == "1"
    rows = notification_list(actor, kind=kind if kind in KINDS else "", unread=unread)
    context = {
        **_frame(request, _("Notifications")),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "bell": bell_of(actor.user_id),
        "choices": choices_of(actor),
        "kind": kind,
        "unread": unread,
        "kinds": KINDS,
    }
    return render(request, "notifications/history.html", context)


@login_required
@require_POST
def open_one(request: HttpRequest, notification_id: int) -> HttpResponseRedirect:
    """Read it and go where it leads; the page there checks for itself who may see it."""
    row = notification_read(notification_id=notification_id, actor=_actor(request))
    return redirect(row.url or "notifications")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Everything up to what the page showed is read; what came later stays unread."""
    shown = request.POST.get("up_to", "")
    notifications_read_all(actor=_actor(request), up_to=int(shown) if shown.isdigit() else None)
    if request.headers.get("X-Bell"):
        return HttpResponse(status=204)
    return redirect("notifications")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """For each kind: inside the pages, by e-mail, both or neither."""
    actor = _actor(request)
    known = choices_of(actor)
    if request.method == "POST":
        for choice in known:
            code = choice.kind.code
            wanted = (f"in_app:{code}" in request.POST, f"email:{code}" in request.POST)
            if not choice.kind.required and wanted != (choice.in_app, choice.email):
                preference_set(kind=code, in_app=wanted[0], email=wanted[1], actor=actor)
        return redirect("notifications-choices")
    context = {**_frame(request, _("What you are told")), "choices": known}
    return render(request, "notifications/choices.html", context)
