"""What admin pages let through beside their forms, closed: lookups in the address, pop-ups, site-wide actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from unfold.admin import TabularInline

from apps.core.admin.filters import rows_in_scope, scoped_filter

Page: Any = object
LONGEST_SEARCH = 200
LOOKUPS = frozenset(
    {"exact", "in", "isnull", "isempty", "gt", "gte", "lt", "lte", "date", "year", "month", "day"}
)
"""What the framework's own filters put into addresses. Nothing that compares a part of a text."""


class DoorsMixin(Page):
    """The last word on what an address may ask."""

    actions = None
    actions_on_bottom = False
    list_editable: Sequence[str] = ()
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    save_as = False
    save_on_top = False

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [scoped_filter(self.model, f) for f in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what a declared filter or the date hierarchy asks.

        The framework lets everybody filter by every field of the row itself, also one that no page shows:
        `?password__startswith=` answers by what it lists.
        """
        if request is None:
            return False
        known = [f[0] for f in self.get_list_filter(request) if isinstance(f, list | tuple)]
        known += [f for f in self.get_list_filter(request) if isinstance(f, str)]
        known += [
            f.parameter_name for f in self.get_list_filter(request) if hasattr(f, "parameter_name")
        ]
        known += [self.date_hierarchy] if self.date_hierarchy else []
        return any(_asks(lookup, path) for path in known) and super().lookup_allowed(
            lookup, value, request
        )

    def get_search_results(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        return super().get_search_results(request, queryset, term[:LONGEST_SEARCH])

    # Pop-ups and raw ids hand rows to another window; no page here opens one.

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        _no_popup(request)
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        _no_popup(request)
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        _no_popup(request)
        return super().delete_view(request, *args, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A picker picks; it offers no way to add, change or delete what is picked from."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = getattr(field, "widget", None)
        if isinstance(widget, RelatedFieldWidgetWrapper):
            widget.can_add_related = widget.can_change_related = False
            widget.can_delete_related = widget.can_view_related = False
        return field

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None that the site brings; a page's own come from its declared bulk actions."""
        return {}


def close_foreign_pages() -> None:
    """Packages bring pages of their own, with forms that ask no service: they are taken off."""
    for model in [m for m in admin.site._registry if not m.__module__.startswith("apps.")]:
        admin.site.unregister(model)


def _asks(lookup: str, path: str) -> bool:
    rest = lookup.removeprefix(path)
    if rest == lookup or (rest and not rest.startswith("__")):
        return False
    parts = rest.split("__")[1:]
    return all(part in LOOKUPS for part in parts[1:]) and (
        not parts or parts[0] in LOOKUPS or (len(parts) == 2 and parts[1] in LOOKUPS)
    )


def _no_popup(request: HttpRequest) -> None:
    for name in (IS_POPUP_VAR, TO_FIELD_VAR):
        if name in request.GET or name in request.POST:
            raise SuspiciousOperation("this page opens no pop-up")


class BrokerInline(TabularInline):
    """Rows below a row: read only, within scope, and only for those who may see such rows."""

    extra = 0
    can_delete = False
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        seen = rows_in_scope(self.model, self, request)
        return rows.filter(pk__in=seen.order_by().values("pk"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or super().get_readonly_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
