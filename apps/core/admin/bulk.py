"""One action on many rows: what would happen, why not, then each row through the service of its button.

A page declares `bulk = (BulkTransition("reject"),)` for a transition of its own. Choosing rows and the action
drafts a run; its page shows row by row what will happen; starting it asks for the reason and happens once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.actor import Actor
from apps.core.admin.exports import page_of, request_as, told
from apps.core.admin.runs import own_run, run_context
from apps.core.admin.scope import actor_of
from apps.core.admin.transitions import ReasonForm, Transition
from apps.core.errors import NotVisible
from apps.core.models import Run, RunRow
from apps.core.runs import Turn, register_work, rows_work, run_draft, run_start, run_work

Page: Any = object
MOST_ROWS = 5_000
AT_ONCE = 20
CHUNK = 500


@dataclass(frozen=True, slots=True)
class BulkTransition:
    """`code` names the page's transition. `form` replaces its form where that asks about one row.

    `check(row, actor)` answers why this row will be refused, as far as the page can tell; the service decides.
    """

    code: str
    label: Any = ""
    form: type[forms.Form] | None = None
    check: Callable[[Any, Actor], str] | None = None
    at_once: int = AT_ONCE

    def why_not(self, transition: Transition, row: Any, actor: Actor) -> tuple[str, str]:
        """Code and words of what stands against it, or two empty texts."""
        if not transition.visible(row):
            return "NOT_NOW", str(_("Not possible in the state that this row is in."))
        words = self.check(row, actor) if self.check else ""
        return ("REFUSED", words) if words else ("", "")


class BulkMixin(Page):
    """The list's actions: each is a declared bulk transition, for those who hold its permission."""

    bulk: ClassVar[Sequence[BulkTransition]] = ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actor = actor_of(request)
        found = super().get_actions(request)
        for bulk in self.bulk:
            transition = self.transition_of(bulk.code)
            if actor.allows(transition.permission):
                label = bulk.label or transition.label
                found[bulk.code] = (partial(_draft, bulk=bulk), bulk.code, label)
        return found

    def transition_of(self, code: str) -> Transition:
        return next(t for t in self.transitions if t.code == code)

    def bulk_of(self, code: str) -> BulkTransition:
        found = next((b for b in self.bulk if b.code == code), None)
        if found is None:
            raise Http404
        return found

    def get_urls(self) -> list[URLPattern]:
        if not self.bulk:
            return super().get_urls()  # type: ignore[no-any-return]
        name = f"{self.opts.app_label}_{self.opts.model_name}_bulk"
        view = self.admin_site.admin_view(self.bulk_view)
        return [path("bulk/<uuid:run_id>/", view, name=name), *super().get_urls()]

    def is_big(self, bulk: BulkTransition, total: int) -> bool:
        """Whether a worker does it instead of the request."""
        return total > bulk.at_once

    def draft_bulk(self, request: HttpRequest, bulk: BulkTransition, rows: Any) -> HttpResponse:
        """Write down what was chosen and what would happen, and show it."""
        transition, actor = self.transition_of(bulk.code), actor_of(request)
        chosen = list(_preview(rows, bulk, transition, actor))
        if len(chosen) > MOST_ROWS:
            text = _("At most {limit} rows at once. Narrow the list first.")
            messages.error(request, text.format(limit=MOST_ROWS))
            return redirect(request.get_full_path())
        waiting = sum(row.outcome == RunRow.Outcome.WAITING for row in chosen)
        run = run_draft(
            kind=Run.Kind.BULK,
            what=f"{self.opts.label_lower}:{bulk.code}",
            title=f"{bulk.label or transition.label}: {self.opts.verbose_name_plural}",
            request={"list": f"{request.path}?{told(request.GET.urlencode())}"},
            total=waiting,
            actor=actor,
            rows=chosen,
        )
        return redirect(reverse(f"admin:{self._name}_bulk", args=[run.pk]))

    def bulk_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """GET shows the draft; POST starts it, once however often it is sent."""
        run = own_run(request, run_id)
        label, _colon, code = run.what.partition(":")
        if label != self.opts.label_lower or run.kind != Run.Kind.BULK:
            raise Http404
        bulk, transition = self.bulk_of(code), self.transition_of(code)
        actor = actor_of(request)
        if not (self.has_view_permission(request) and actor.allows(transition.permission)):
            raise PermissionDenied
        actor.require(transition.permission)
        if run.state != Run.State.DRAFT:
            return redirect("admin-run", run_id=run.pk)
        form = _form_of(bulk, transition)(request.POST or None)
        if request.method == "POST" and form.is_valid() and run.total:
            return self._start_bulk(run, bulk, form.cleaned_data, actor)
        context = {
            **self.admin_site.each_context(request),
            **run_context(request, run),
            "title": run.title,
            "opts": self.opts,
            "form": form,
            "transition": transition,
            "skipped": run.rows.filter(outcome=RunRow.Outcome.SKIPPED).count(),
            "back_url": reverse(f"admin:{self._name}_changelist"),
            "background": self.is_big(bulk, run.total),
            "start_label": ngettext("%(count)d row", "%(count)d rows", run.total)
            % {"count": run.total},
        }
        return render(request, "admin/bulk.html", context, status=422 if form.errors else 200)

    def _start_bulk(
        self, run: Run, bulk: BulkTransition, values: dict[str, Any], actor: Actor
    ) -> HttpResponse:
        background = self.is_big(bulk, run.total)
        started = run_start(
            run_id=run.pk, request={"values": values}, background=background, actor=actor,
            reason=values["reason"],
        )  # fmt: skip
        if not background and started.state == Run.State.QUEUED:
            run_work(run.pk, actor=actor)
        return redirect("admin-run", run_id=run.pk)


def _draft(page: Any, request: HttpRequest, rows: Any, *, bulk: BulkTransition) -> HttpResponse:
    return page.draft_bulk(request, bulk, rows)  # type: ignore[no-any-return]


def _preview(
    rows: Any, bulk: BulkTransition, transition: Transition, actor: Actor
) -> Iterator[RunRow]:
    for row in rows[: MOST_ROWS + 1].iterator(chunk_size=CHUNK):
        code, why = bulk.why_not(transition, row, actor)
        yield RunRow(
            object_id=str(row.pk),
            label=str(row.pk)[-12:],
            outcome=RunRow.Outcome.SKIPPED if code else RunRow.Outcome.WAITING,
            code=code,
            message=why[:300],
        )


def _form_of(bulk: BulkTransition, transition: Transition) -> type[forms.Form]:
    """The form of the button, with a reason in any case: a run always says why."""
    declared = bulk.form or transition.form
    if "reason" in getattr(declared, "base_fields", {}):
        return declared
    return type("BulkForm", (ReasonForm, declared), {})


def bulk_work(turn: Turn) -> bool:
    """A slice: each row through the transition's service, as its button would."""
    label, _colon, code = turn.run.what.partition(":")
    page = page_of(label)
    bulk, transition = page.bulk_of(code), page.transition_of(code)
    turn.actor.require(transition.permission)
    asked = set(getattr(bulk.form or transition.form, "base_fields", {}))
    values = {k: v for k, v in turn.run.request["values"].items() if k in asked}
    target = transition.target or f"{page.opts.model_name}_id"

    def act(object_id: str) -> None:
        row = page.get_object(request_as(turn.actor, ""), object_id)
        if row is None:
            raise NotVisible
        transition.service(**{target: row.pk}, actor=turn.actor, **values)

    return rows_work(turn, act)


register_work(Run.Kind.BULK, bulk_work)
