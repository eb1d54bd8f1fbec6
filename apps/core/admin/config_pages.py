"""Configuration as data, in the back office: download it, see what a file would change, ask for it."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin.base import actor_of
from apps.core.config import (
    MOST_BYTES,
    config_export,
    config_plan,
    config_request,
    kinds_in_order,
    read_bundle,
)
from apps.core.errors import DomainError
from apps.core.permissions import APPLY_CONFIG, EXPORT_CONFIG


class BundleForm(forms.Form):
    """A file to look at."""

    bundle = forms.FileField(label=gettext_lazy("Bundle"))

    def clean_bundle(self) -> Any:
        given = self.cleaned_data["bundle"]
        if given.size > MOST_BYTES:
            raise forms.ValidationError(gettext_lazy("The file is too large."))
        return given


class RequestForm(forms.Form):
    """What was looked at, and why it shall be applied."""

    content = forms.CharField(widget=forms.HiddenInput(), max_length=2 * MOST_BYTES)
    base = forms.CharField(widget=forms.HiddenInput(), max_length=64)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    actor = actor_of(request)
    shown = {
        **admin.site.each_context(request),
        "title": _("Configuration"),
        "kinds": kinds_in_order(),
        "may_export": actor.allows(EXPORT_CONFIG),
        "may_apply": actor.allows(APPLY_CONFIG),
        "form": BundleForm(),
        **context,
    }
    return render(request, "admin/config.html", shown, status=status)


@require_http_methods(["GET", "POST"])
def config_view(request: HttpRequest) -> HttpResponse:
    """GET shows the page; POST shows what the uploaded bundle would change, and changes nothing."""
    actor = actor_of(request)
    if not (actor.allows(EXPORT_CONFIG) or actor.allows(APPLY_CONFIG)):
        raise PermissionDenied
    if request.method == "GET":
        return _page(request)
    form = BundleForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, 422, form=form)
    raw = form.cleaned_data["bundle"].read().strip()
    try:
        plan = config_plan(read_bundle(raw), actor=actor)
    except DomainError as refused:
        return _page(request, refused.status, error=refused)
    content = base64.b64encode(raw).decode()
    ask = RequestForm(initial={"content": content, "base": plan.base})
    return _page(request, plan=plan, ask=ask)


@require_GET
def export_view(request: HttpRequest) -> HttpResponse:
    """The bundle as a file."""
    if not actor_of(request).allows(EXPORT_CONFIG):
        raise PermissionDenied
    response = HttpResponse(config_export(actor=actor_of(request)), content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="configuration.json"'
    return response


@require_http_methods(["GET", "POST"])
def request_view(request: HttpRequest) -> HttpResponse:
    """POST asks for what was planned, and somebody else agrees; GET leads back to the page."""
    if not actor_of(request).allows(APPLY_CONFIG):
        raise PermissionDenied
    if request.method == "GET":
        return HttpResponseRedirect(reverse("admin-config"))
    form = RequestForm(request.POST)
    if not form.is_valid():
        return _page(request, 422, ask=form)
    values = form.cleaned_data
    try:
        raw = base64.b64decode(values["content"], validate=True)
        approval = config_request(
            raw=raw, base=values["base"], actor=actor_of(request), reason=values["reason"]
        )
    except DomainError as refused:
        return _page(request, refused.status, error=refused)
    except ValueError:
        return _page(request, 422)
    messages.success(request, _("Asked. A second person decides under Approvals."))
    return HttpResponseRedirect(reverse("admin:core_approval_change", args=[approval.pk]))


urlpatterns = [
    path("", admin.site.admin_view(config_view), name="admin-config"),
    path("export/", admin.site.admin_view(export_view), name="admin-config-export"),
    path("request/", admin.site.admin_view(request_view), name="admin-config-request"),
]
