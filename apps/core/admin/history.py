"""History is read only, and only for rows in scope."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin


class SafeHistoryMixin(SimpleHistoryAdmin):
    """The package's form view would let people who may only view write an old version back: here nobody may."""

    object_history_template = "admin/broker_history.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require_visible(request, object_id)
        if not hasattr(self.model, "history"):
            raise Http404
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
        self._require_visible(request, object_id)
        if not hasattr(self.model, "history"):
            raise Http404
        return super().history_form_view(request, object_id, version_id, extra_context)
