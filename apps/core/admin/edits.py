"""Edits of plain fields: with a reason, never over somebody else's change, harmless when sent twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import csrf_protect_m
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin.scope import actor_of
from apps.core.edits import values_of
from apps.core.errors import DomainError

Page: Any = object
DjangoPage: Any = admin.ModelAdmin

WHY = "edit_reason"
SEEN = "edit_base"


class EditForm(forms.ModelForm):  # type: ignore[type-arg]
    """Asks why, and remembers what the editor saw when the page was opened."""

    edit_reason = forms.CharField(
        label=_("Reason"),
        min_length=3,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Stands in the history and in the audit trail."),
    )
    edit_base = forms.JSONField(widget=forms.HiddenInput, encoder=DjangoJSONEncoder)

    watched: ClassVar[Sequence[str]] = ()
    refused: ClassVar[DomainError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if SEEN in self.fields:
            self.fields[SEEN].initial = values_of(self.instance, self.watched)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.refused is not None:
            raise forms.ValidationError(str(self.refused), code=self.refused.code)
        return values

    def _post_clean(self) -> None:
        """The row is written by the service alone, so the instance keeps what the database holds."""


class EditsMixin(Page):
    """`editable_fields` are changed by `edit_service(*, pk, base, actor, reason, **values)`.

    The service locks the row and calls `refuse_stale(row, base, values)`; what it refuses is shown in the
    form, with what was typed still in it.
    """

    editable_fields: ClassVar[Sequence[str]] = ()
    edit_service: ClassVar[Callable[..., Any] | None] = None

    def may_edit(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and self.has_change_permission(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        if not self.may_edit(request, obj):
            return super().get_form(request, obj, change=change, **kw)
        refused = getattr(request, "edit_refused", None)
        body = {"watched": tuple(self.editable_fields), "refused": refused}
        kw["form"] = type("EditForm", (EditForm,), body)
        return super().get_form(request, obj, change=change, **kw)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = list(super().get_fieldsets(request, obj))
        if self.may_edit(request, obj):
            sections.append((_("Why"), {"fields": (WHY, SEEN)}))
        return sections

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refused:
            request.edit_refused = refused  # type: ignore[attr-defined]
            answer = super().changeform_view(request, object_id, form_url, extra_context)
            answer.status_code = refused.status
            return answer

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if self.edit_service is None or not change or not self.has_change_permission(request, obj):
            raise PermissionDenied
        values = {name: form.cleaned_data[name] for name in self.editable_fields}
        type(self).edit_service(  # type: ignore[misc]
            pk=obj.pk,
            base=form.cleaned_data[SEEN],
            actor=actor_of(request),
            reason=form.cleaned_data[WHY],
            **values,
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Rows below are changed by services of their own."""

    # The audit trail says what happened; a second log without reasons would only repeat names.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None: ...


class WithoutTransaction(DjangoPage):
    """Comes last among the bases: the service is the one transaction, and a refusal leaves nothing behind."""

    @csrf_protect_m
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]
