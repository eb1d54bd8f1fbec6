"""`BrokerModelAdmin`: the back office's one way to show a row and to change it.

Everything is scoped by `visible_to`, read-only unless declared, never deleted. A change of state is a
`Transition`: a button and a dialog with a reason, behind a permission, that calls the service which the API
and the portal call too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import display
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.core.panels import Panel, panels_for, receipt_url
from apps.core.permissions import Permission
from apps.core.timeline import subject_timeline


class ReasonForm(forms.Form):
    """Every change says why."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=3,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


@dataclass(frozen=True, slots=True)
class Transition:
    """A button that calls a service.

    `service` is called with `<target>=pk, actor=…` and the form's cleaned values. `visible` decides by the
    row's state whether the button is shown; the service decides in the end. `tone` is `primary`,
    `quiet` or `danger`.
    """

    code: str
    label: Any
    service: Callable[..., Any]
    permission: Permission
    form: type[forms.Form] = ReasonForm
    target: str = ""
    visible: Callable[[Any], bool] = lambda obj: True
    tone: str = "quiet"
    explanation: Any = ""
    done: Any = _("Done.")  # noqa: RUF009 (a lazy text does not change)

    def shown_for(self, obj: Any, actor: Actor) -> bool:
        return actor.allows(self.permission) and self.visible(obj)


def _with_receipts(fields: Any) -> Any:
    return [
        _with_receipts(field)
        if isinstance(field, list | tuple)
        else ("decision_receipt" if field == "decision_id" else field)
        for field in fields
    ]


def actor_of(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined,no-any-return]


class BrokerModelAdmin(SimpleHistoryAdmin, ModelAdmin):
    """Subclasses declare `list_display`, `fieldsets`, `transitions`, `panels`; see the module's text."""

    transitions: ClassVar[Sequence[Transition]] = ()
    panels: ClassVar[Sequence[type[Panel]]] = ()
    editable_fields: ClassVar[Sequence[str]] = ()
    edit_service: ClassVar[Callable[..., Any] | None] = None

    change_form_template = "admin/broker_change_form.html"
    object_history_template = "admin/broker_history.html"
    show_full_result_count = False
    list_per_page = 50
    actions = None
    compressed_fields = True
    list_filter_submit = True
    show_timeline = True

    # Scope: the same query for lists, objects, pickers and history.

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)
        if hasattr(queryset, "visible_to"):
            return queryset.visible_to(actor_of(request))
        return queryset

    def _in_scope(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and self._in_scope(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not self.editable_fields or self.edit_service is None:
            return False
        return super().has_change_permission(request, obj) and self._in_scope(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        manager = db_field.remote_field.model._default_manager.all()
        if hasattr(manager, "visible_to"):
            kwargs.setdefault("queryset", manager.visible_to(actor_of(request)))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        declared = super().get_readonly_fields(request, obj)
        names = [f.name for f in self.opts.get_fields() if getattr(f, "concrete", False)]
        names.append("decision_receipt")
        return [
            *declared,
            *(n for n in names if n not in self.editable_fields and n not in declared),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A decision is shown as a link to its receipt wherever a page lists `decision_id`."""
        return [
            (title, {**options, "fields": _with_receipts(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    @display(description=_("Decision"))
    def decision_receipt(self, obj: Any) -> str:
        decision_id = getattr(obj, "decision_id", None)
        url = receipt_url(decision_id)
        if not url:
            return "-"
        return format_html('<a href="{}">{}</a>', url, _("Why: the receipt"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if self.edit_service is None or not change:
            raise PermissionDenied
        values = {name: form.cleaned_data[name] for name in self.editable_fields}
        type(self).edit_service(pk=obj.pk, actor=actor_of(request), reason="edited", **values)  # type: ignore[misc]

    # Pages

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        obj = self.get_object(request, unquote(object_id))
        extra = dict(extra_context or {})
        if obj is not None:
            actor = actor_of(request)
            own = [(p, p().context(obj, actor)) for p in self.panels if p.shown_to(actor)]
            extra |= {
                "transition_buttons": self.transition_buttons(request, obj),
                "panels": [(p, c) for p, c in own if c is not None] + panels_for(obj, actor),
                "timeline": subject_timeline(obj) if self.show_timeline else None,
            }
        return super().change_view(request, object_id, form_url, extra)

    def transition_buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        actor = actor_of(request)
        return [
            {"label": t.label, "tone": t.tone, "url": self._transition_url(t, obj)}
            for t in self.transitions
            if t.shown_for(obj, actor)
        ]

    def _transition_url(self, transition: Transition, obj: Any) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_transition"
        return reverse(name, args=[obj.pk, transition.code])

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_transition"
        return [
            path(
                "<path:object_id>/do/<slug:code>/",
                self.admin_site.admin_view(self.transition_view),
                name=name,
            ),
            *super().get_urls(),
        ]

    def transition_view(self, request: HttpRequest, object_id: str, code: str) -> HttpResponseBase:
        """GET shows the dialog and changes nothing; POST runs the service."""
        transition = next((t for t in self.transitions if t.code == code), None)
        obj = self.get_object(request, unquote(object_id))
        if transition is None or obj is None:
            raise Http404
        if not actor_of(request).allows(transition.permission):
            raise PermissionDenied
        form_class = transition.form
        build: Any = (
            partial(form_class, obj=obj) if getattr(form_class, "needs_obj", False) else form_class  # type: ignore[call-arg]
        )
        form = build(request.POST, request.FILES) if request.method == "POST" else build()
        error: DomainError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                self.run_transition(request, transition, obj, form)
            except DomainError as refused:
                error = refused
            except ValidationError as invalid:
                form.add_error(None, invalid)
            else:
                messages.success(request, transition.done)
                return HttpResponseRedirect(self.after_transition_url(request, obj))
        return self._transition_page(request, transition, obj, form, error)

    def run_transition(
        self, request: HttpRequest, transition: Transition, obj: Any, form: forms.Form
    ) -> None:
        target = transition.target or f"{self.opts.model_name}_id"
        transition.service(**{target: obj.pk}, actor=actor_of(request), **form.cleaned_data)

    def after_transition_url(self, request: HttpRequest, obj: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def _transition_page(
        self,
        request: HttpRequest,
        transition: Transition,
        obj: models.Model,
        form: forms.Form,
        error: DomainError | None,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": transition.label,
            "opts": self.opts,
            "object": obj,
            "transition": transition,
            "form": form,
            "error": error,
            "back_url": self.after_transition_url(request, obj),
        }
        status = error.status if error else (422 if form.errors else 200)
        partial_page = bool(request.headers.get("X-Dialog"))
        template = "admin/transition_dialog.html" if partial_page else "admin/transition.html"
        return render(request, template, context, status=status)

    # History: read only, and only for rows in scope.

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not hasattr(self.model, "history"):
            raise Http404
        self._require_visible(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "GET":
            raise PermissionDenied
        if not hasattr(self.model, "history"):
            raise Http404
        self._require_visible(request, object_id)
        return super().history_form_view(request, object_id, version_id, extra_context)

    def _require_visible(self, request: HttpRequest, object_id: str) -> None:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
