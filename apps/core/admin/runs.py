"""What somebody started: its progress, its result, its file. Each page is its maker's alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from apps.core import clock
from apps.core.admin.scope import actor_of
from apps.core.models import Run, RunFile
from apps.core.runs import run_file_open, run_stop

ROWS_PER_PAGE = 100


def own_run(request: HttpRequest, run_id: UUID) -> Run:
    run = Run.objects.visible_to(actor_of(request)).filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run


@require_GET
def runs_page(request: HttpRequest) -> HttpResponse:
    """Everything this person started, newest first."""
    runs = Run.objects.visible_to(actor_of(request)).select_related("file").defer("file__content")
    page = Paginator(runs, 30).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": _("My exports and runs"),
        "page": page,
        "now": clock.now(),
    }
    return render(request, "admin/runs.html", context)


def run_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    rows = Paginator(run.rows.all(), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    kept = RunFile.objects.filter(run=run, expires_at__gt=clock.now()).defer("content").first()
    named = rows_named(request, run, [row.object_id for row in rows])
    for row in rows:
        row.label = named.get(row.object_id, row.label)
    url = list_url(run) if run.kind == Run.Kind.BULK else ""
    return {"run": run, "rows": rows, "file": kept, "row_urls": url}


def rows_named(request: HttpRequest, run: Run, keys: list[str]) -> dict[str, str]:
    """What the rows are called, as this person reads them now; a run itself keeps no names."""
    if run.kind != Run.Kind.BULK or not keys:
        return {}
    page = admin.site.get_model_admin(apps.get_model(run.what.partition(":")[0]))
    rows = page.get_queryset(request).filter(pk__in=keys)
    related = page.list_select_related
    rows = rows.select_related(*related) if isinstance(related, list | tuple) else rows
    return {str(row.pk): str(row) for row in rows}


def list_url(run: Run) -> str:
    app, _dot, model = run.what.partition(":")[0].partition(".")
    return reverse(f"admin:{app}_{model}_changelist")


@require_GET
def run_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = own_run(request, run_id)
    context = {**admin.site.each_context(request), "title": run.title, **run_context(request, run)}
    return render(request, "admin/run.html", context)


@require_GET
def run_progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The part of the page that is asked for again until the run is over."""
    run = own_run(request, run_id)
    return render(request, "admin/run_progress.html", run_context(request, run))


@require_POST
def run_stop_view(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run_stop(run_id=run_id, actor=actor_of(request))
    return redirect("admin-run", run_id=run_id)


@require_GET
def run_file(request: HttpRequest, run_id: UUID) -> HttpResponse:
    kept, content = run_file_open(run_id=run_id, actor=actor_of(request))
    answer = HttpResponse(content, content_type=kept.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{kept.name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


def run_urls() -> list[URLPattern]:
    door = admin.site.admin_view
    return [
        path("", door(runs_page), name="admin-runs"),
        path("<uuid:run_id>/", door(run_page), name="admin-run"),
        path("<uuid:run_id>/progress/", door(run_progress), name="admin-run-progress"),
        path("<uuid:run_id>/stop/", door(run_stop_view), name="admin-run-stop"),
        path("<uuid:run_id>/file/", door(run_file), name="admin-run-file"),
    ]
