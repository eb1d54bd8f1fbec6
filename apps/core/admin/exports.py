"""The export page of a list: columns, format, reason; and the work behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.admin.scope import actor_of
from apps.core.admin.transitions import ReasonForm
from apps.core.audit import audit
from apps.core.errors import DomainError, NotAllowed
from apps.core.exports import CSV, FORMATS, XLSX, Export, export_rows, write
from apps.core.ids import new_id
from apps.core.models import Run
from apps.core.privacy.blind import keyed
from apps.core.runs import (
    Turn,
    keep_file,
    register_file_guard,
    register_work,
    run_draft,
    run_start,
    run_work,
)

Page: Any = object
PROGRESS_EVERY = 500


class Stopped(DomainError):
    code = "STOPPED"
    message = _("Somebody stopped this.")
    status = 409


class TooManyRows(DomainError):
    code = "TOO_MANY_ROWS"
    message = _("{count} rows match; at most {limit} go into one file. Narrow the list first.")


class ExportForm(ReasonForm):
    """What goes into the file, as what, and why it leaves the house."""

    run_id = forms.UUIDField(widget=forms.HiddenInput)
    columns = forms.MultipleChoiceField(
        label=_("Columns"), widget=forms.CheckboxSelectMultiple, required=True
    )
    file_format = forms.ChoiceField(
        label=_("Format"),
        choices=[(XLSX, "Excel (.xlsx)"), (CSV, "CSV")],
        initial=XLSX,
        widget=forms.RadioSelect,
    )
    field_order = ("columns", "file_format", "reason")

    def __init__(self, export: Export, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(column.name, column.title) for column in export.columns]
        self.fields["columns"].choices = choices  # type: ignore[attr-defined]
        self.fields["columns"].initial = [c.name for c in export.columns if not c.extra]


def request_as(actor: Actor, query: str) -> HttpRequest:
    """A request as the actor would make it now, for the list's own filters, search and order."""
    request = HttpRequest()
    request.method = "GET"
    request.GET = QueryDict(query)
    request.META |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.actor = actor  # type: ignore[attr-defined]
    request.user = get_user_model()._default_manager.get(pk=actor.user_id or 0)
    return request


def rows_of_list(page: Any, request: HttpRequest) -> Any:
    """The rows that the list shows over all its pages: in scope, filtered, searched, ordered."""
    return page.get_changelist_instance(request).queryset


def told(query: str) -> str:
    """The list's address without what was searched, which is often a person's name: only that there was something."""
    kept = QueryDict(query, mutable=True)
    if kept.get("q"):
        kept["q"] = "hmac:" + keyed("search", str(kept["q"]))[:16]
    return kept.urlencode(safe=":")


def page_of(label: str) -> Any:
    """The admin page of a model by its label."""
    return admin.site.get_model_admin(apps.get_model(label))


class ExportMixin(Page):
    """A list that declares `export` offers it to those who hold the export's permission."""

    export: ClassVar[Export | None] = None

    def may_export(self, request: HttpRequest) -> bool:
        return (
            self.export is not None
            and self.has_view_permission(request)
            and actor_of(request).allows(self.export.permission)
        )

    def is_big_export(self, total: int) -> bool:
        """Whether a worker writes the file instead of the request."""
        return self.export is not None and total > self.export.at_once

    def export_url(self, request: HttpRequest) -> str:
        """Where this list, as it is filtered now, is exported; nothing for those who may not."""
        if not self.may_export(request):
            return ""
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")
        return f"{url}?{request.GET.urlencode()}" if request.GET else url

    def get_urls(self) -> list[URLPattern]:
        if self.export is None:
            return super().get_urls()  # type: ignore[no-any-return]
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """GET asks; POST writes the request down and starts it."""
        if not self.may_export(request) or self.export is None:
            raise PermissionDenied
        actor_of(request).require(self.export.permission)
        try:
            total = rows_of_list(self, request).count()
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)
        form = ExportForm(self.export, request.POST or None, initial={"run_id": new_id()})
        error: DomainError | None = None
        if request.method == "POST" and form.is_valid():
            if total <= self.export.max_rows:
                return self._start_export(request, form.cleaned_data, total)
            error = TooManyRows(count=total, limit=self.export.max_rows)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export: {name}").format(name=self.opts.verbose_name_plural),
            "opts": self.opts,
            "form": form,
            "total": total,
            "export": self.export,
            "error": error,
            "background": self.is_big_export(total),
            "back_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            + (f"?{request.GET.urlencode()}" if request.GET else ""),
        }
        status = error.status if error else (422 if form.errors else 200)
        return render(request, "admin/export.html", context, status=status)

    def _start_export(
        self, request: HttpRequest, asked: dict[str, Any], total: int
    ) -> HttpResponse:
        actor, background = actor_of(request), self.is_big_export(total)
        run = run_draft(
            run_id=asked["run_id"],
            kind=Run.Kind.EXPORT,
            what=self.opts.label_lower,
            title=str(self.opts.verbose_name_plural),
            request={"query": request.GET.urlencode()},
            total=total,
            actor=actor,
        )
        picked = {"columns": asked["columns"], "format": asked["file_format"]}
        started = run_start(
            run_id=run.pk, request=picked, background=background, actor=actor,
            reason=asked["reason"],
        )  # fmt: skip
        if not background and started.state == Run.State.QUEUED:
            run_work(run.pk, actor=actor)
        return redirect("admin-run", run_id=run.pk)


def export_work(turn: Turn) -> bool:
    """Write the whole file; killed in between it is written anew."""
    run, actor = turn.run, turn.actor
    page = page_of(run.what)
    export: Export = page.export
    request = request_as(actor, run.request["query"])
    require_export(page, request)
    columns = export.chosen(run.request["columns"])
    queryset = rows_of_list(page, request)
    counted = Counted(turn, export_rows(export, queryset, columns, actor))
    file_format = run.request["format"]
    content = write(file_format, [column.title for column in columns], counted)
    _keep(run.pk, actor, counted.count, file_format, content)
    return True


def require_export(page: Any, request: HttpRequest) -> None:
    """Whoever may see the list and may export it, as of now. Raises `NotAllowed`, `StepUpRequired`."""
    export: Export = page.export
    if not page.has_view_permission(request):
        raise NotAllowed(permission=export.permission.label)
    actor_of(request).require(export.permission)


def guard_file(run: Run, actor: Actor) -> None:
    """A file that is ready leaves the house only with what was needed to order it, and a fresh sign-in."""
    page = page_of(run.what)
    require_export(page, request_as(actor, ""))
    actor.require_fresh(page.export.permission.label)


class Counted:
    """Rows that say how far they are, and end when somebody stopped the run."""

    def __init__(self, turn: Turn, rows: Iterator[list[Any]]) -> None:
        self.turn, self.rows, self.count = turn, rows, 0

    def __iter__(self) -> Iterator[list[Any]]:
        for row in self.rows:
            self.count += 1
            shown = min(self.count, self.turn.run.total)
            if self.count % PROGRESS_EVERY == 0 and not self.turn.goes_on(shown):
                raise Stopped
            yield row


@transaction.atomic
def _keep(run_id: UUID, actor: Actor, count: int, file_format: str, content: bytes) -> None:
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.state != Run.State.RUNNING:
        raise Stopped
    run.total = run.done = count
    run.save(update_fields=["total", "done"])
    name = f"{run.what.partition('.')[2]}-{clock.now():%Y%m%d-%H%M%S}.{file_format}"
    keep_file(run, name=name, content_type=FORMATS[file_format], content=content)
    audit(
        actor=actor,
        action="export.run",
        subject=run,
        after={
            "list": run.what,
            "filter": told(run.request["query"]),
            "columns": run.request["columns"],
            "format": file_format,
            "count": count,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
        reason=run.reason,
    )


def without_search(request: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a request once its run is over, however it ended."""
    return request | {"query": told(request.get("query", ""))}


register_work(Run.Kind.EXPORT, export_work, kept=without_search)
register_file_guard(Run.Kind.EXPORT, guard_file)
