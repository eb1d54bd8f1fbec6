"""A change of state is a button and a dialog with a reason, behind a permission, that calls the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.actor import Actor
from apps.core.admin.scope import actor_of
from apps.core.errors import DomainError, NotPossibleNow
from apps.core.permissions import Permission

Page: Any = object


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
    row's state whether the button is shown and its address answers; the service decides in the end. `tone` is
    `primary`, `quiet` or `danger`.
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
    step_up: bool = False

    @property
    def needs_proof(self) -> bool:
        """Whether the dialog itself asks for a fresh sign-in, so that nobody types first and proves afterwards."""
        return self.step_up or self.permission.step_up

    def shown_for(self, obj: Any, actor: Actor) -> bool:
        return actor.allows(self.permission) and self.visible(obj)


class TransitionsMixin(Page):
    """The buttons of a row's page, and the dialog behind each."""

    transitions: ClassVar[Sequence[Transition]] = ()

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
        """GET shows the dialog and changes nothing; POST runs the service. A button that the row's page does not show
        is refused here too."""
        transition = next((t for t in self.transitions if t.code == code), None)
        if transition is None:
            raise Http404
        if not actor_of(request).allows(transition.permission):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if transition.needs_proof:
            actor_of(request).require_fresh(transition.label)
        form = self._dialog_form(request, transition, obj)
        error: DomainError | None = None
        if not transition.visible(obj):
            error = NotPossibleNow(command=transition.label)
        elif request.method == "POST" and form.is_valid():
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

    def _dialog_form(self, request: HttpRequest, transition: Transition, obj: Any) -> Any:
        """The dialog's form; what was typed before a proof was asked for stands in it again."""
        form_class = transition.form
        build: Any = (
            partial(form_class, obj=obj) if getattr(form_class, "needs_obj", False) else form_class  # type: ignore[call-arg]
        )
        if request.method == "POST":
            return build(request.POST, request.FILES)
        typed = getattr(request, "kept_input", None)
        return build(initial=typed) if typed else build()

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
