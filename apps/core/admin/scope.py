"""Scope: the same query for lists, objects, pickers and history."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from apps.core.actor import Actor

Page: Any = object


def actor_of(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined,no-any-return]


class ScopeMixin(Page):
    """Rows, objects, pickers: what `visible_to` hides is hidden everywhere."""

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

    # A missing permission is told before anything is read; what is out of scope is absent.

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _require_visible(self, request: HttpRequest, object_id: str) -> None:
        self._require_permission(request)
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponseBase:
        raise Http404
