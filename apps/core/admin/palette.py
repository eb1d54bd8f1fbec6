"""The command palette: one box for everything that may be found, every page that may be opened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from apps.core.actor import Actor
from apps.core.admin.scope import actor_of
from apps.core.models import Approval
from apps.core.permissions import VOTE_APPROVAL
from apps.core.search import Hit, TooManySearches, as_uuid, only_exact, page_url, register_search
from apps.core.search import search as search_everything

PAGES = 8


@require_GET
def find_view(request: HttpRequest) -> HttpResponse:
    """What the text names. A whole page for those without script, where one exact hit opens at once."""
    text = request.GET.get("q", "").strip()
    actor = actor_of(request)
    context: dict[str, Any] = {"text": text, "pages": pages_named(request, text)}
    status = 200
    try:
        context["found"] = search_everything(actor, text)
    except TooManySearches as refused:
        context["refused"], status = refused, refused.status
    if request.headers.get("HX-Request"):
        return render(request, "admin/palette_results.html", context)
    exact = only_exact(context.get("found", []))
    if exact is not None:
        return redirect(exact.url)
    whole = {**admin.site.each_context(request), "title": _("Search"), **context}
    return render(request, "admin/palette_page.html", whole, status=status)


def pages_named(request: HttpRequest, text: str) -> list[dict[str, Any]]:
    """Pages of the navigation whose name has every word, for those whom the navigation shows them to."""
    words = text.lower().split()
    groups = admin.site.get_sidebar_list(request)  # type: ignore[attr-defined]
    items = [
        {"title": item["title"], "url": item["link"], "icon": item.get("icon"), "group": group["title"]}
        for group in groups
        for item in group["items"]
        if item.get("has_permission", True)
    ]  # fmt: skip
    if not words:
        return items[:PAGES]
    named = [i for i in items if all(w in f"{i['group']} {i['title']}".lower() for w in words)]
    return named[:PAGES]


def find_approvals(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    rows = Approval.objects.visible_to(actor)
    known = as_uuid(text)
    rows = rows.filter(pk=known) if known else rows.filter(title__icontains=text, state="PENDING")
    for row in rows.order_by("-created_at")[:limit]:
        yield Hit(row.title, page_url(row), str(row.get_state_display()), row.pk == known)


register_search(
    "approvals", VOTE_APPROVAL, find_approvals, label=_("Approvals"), icon="how_to_reg", order=25
)


def palette_urls() -> list[URLPattern]:
    return [path("find/", admin.site.admin_view(find_view), name="admin-find")]
