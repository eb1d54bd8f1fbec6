"""Pages of the back office that belong to no model."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from apps.core.admin.palette import palette_urls
from apps.core.admin.runs import run_urls
from apps.core.admin.work import inbox_urls


def nothing_here(request: HttpRequest, **place: Any) -> HttpResponse:
    """The framework's redirect to a row's public page answers differently for rows that exist."""
    raise Http404


urlpatterns = [
    *palette_urls(),
    path("inbox/", include(inbox_urls())),
    path("runs/", include(run_urls())),
    path("r/<path:rest>", admin.site.admin_view(nothing_here), name="admin-no-public-page"),
]
