"""One masked field shown once, to somebody who says what for. The look is written down before the value is shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin.base import actor_of
from apps.core.errors import DomainError
from apps.core.permissions import REVEAL_PERSONAL
from apps.core.reveals import personal_reveal, personal_subject, reveals_by


class PurposeForm(forms.Form):
    purpose = forms.CharField(
        label=_("What for"),
        min_length=5,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


def reveal_view(request: HttpRequest, label: str, pk: str, field: str) -> HttpResponse:
    """GET asks what for; POST shows the value on this page alone and keeps it nowhere."""
    actor = actor_of(request)
    actor.require(REVEAL_PERSONAL)
    subject = personal_subject(label, pk, field, actor=actor)
    form = PurposeForm(request.POST or None)
    error: DomainError | None = None
    value: Any = None
    if request.method == "POST" and form.is_valid():
        try:
            value = personal_reveal(
                subject=subject, field=field, purpose=form.cleaned_data["purpose"], actor=actor
            )
        except DomainError as refused:
            error = refused
    context = {
        **admin.site.each_context(request),
        "title": _("Show a masked field"),
        "field_name": subject._meta.get_field(field).verbose_name,  # type: ignore[union-attr]
        "subject": subject,
        "form": form,
        "error": error,
        "value": value,
        "today": reveals_by(actor),
    }
    template = (
        "admin/reveal_dialog.html" if request.headers.get("X-Dialog") else "admin/reveal.html"
    )
    status = error.status if error else (422 if form.errors else 200)
    answer = render(request, template, context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
