"""Lists: saved views as tabs, a count that never reads the whole table, and what to do when nothing is shown."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from apps.core.admin.scope import actor_of
from apps.core.errors import DomainError
from apps.core.models import SavedView
from apps.core.permissions import SHARE_VIEW
from apps.core.views import kept_query, view_remove, view_save, views_for

Page: Any = object
COUNTED = 500
ALL = "all_rows"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts as far as `COUNTED` rows past the page and no further: nobody reads page 400, everybody waits for it."""

    reach = COUNTED

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return len(rows)
        return int(rows.order_by()[: self.reach + 1].count())

    @property
    def is_bounded(self) -> bool:
        return self.count > self.reach


class ViewForm(forms.Form):
    """A name for the list as it is filtered now."""

    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=1500, required=False)
    role = forms.CharField(max_length=150, required=False)
    is_default = forms.BooleanField(required=False)


class ListsMixin(Page):
    """What every list has beside its rows."""

    paginator = BoundedPaginator
    change_list_template = "admin/broker_change_list.html"
    list_fullwidth = True
    empty_text: ClassVar[Any] = ""

    @property
    def _name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, orphans: int = 0, **kw: Any
    ) -> Any:
        paginator = super().get_paginator(request, queryset, per_page, orphans, **kw)
        page = request.GET.get("p", "1")
        asked = int(page) if page.isdigit() else 1
        paginator.reach = COUNTED + min(asked, 10_000) * per_page
        return paginator

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if request.method == "POST" or not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        roles = request.user.role_codes()  # type: ignore[union-attr]
        views = list(views_for(actor_of(request), self.opts.label_lower, roles))
        if ALL in request.GET:
            rest = request.GET.copy()
            rest.pop(ALL)
            request.GET = rest  # type: ignore[assignment]
        elif not request.GET:
            own = [v for v in views if v.is_default and v.owner_id == actor_of(request).user_id]
            if own and own[0].query:
                return HttpResponseRedirect(f"{request.path}?{own[0].query}")
        return super().changelist_view(
            request, {**(extra_context or {}), **self.list_context(request, views, roles)}
        )

    def list_context(
        self, request: HttpRequest, views: list[SavedView], roles: Any
    ) -> dict[str, Any]:
        query = kept_query(request.GET)
        actor = actor_of(request)
        return {
            "saved_views": [
                {
                    "view": view,
                    "own": view.owner_id == actor.user_id,
                    "active": bool(query) and view.query == query,
                    "remove_url": reverse(f"admin:{self._name}_view_remove", args=[view.pk]),
                }
                for view in views
            ],
            "kept_query": query,
            "view_save_url": reverse(f"admin:{self._name}_view_save"),
            "view_roles": sorted(roles) if query and actor.allows(SHARE_VIEW) else [],
            "all_url": f"{request.path}?{ALL}=1",
            "export_url": self.export_url(request),
            "empty_text": self.empty_text,
        }

    # Saving and removing views

    def get_urls(self) -> list[URLPattern]:
        door = self.admin_site.admin_view
        return [
            path("views/save/", door(self.view_save_view), name=f"{self._name}_view_save"),
            path(
                "views/<uuid:view_id>/remove/",
                door(self.view_remove_view),
                name=f"{self._name}_view_remove",
            ),
            *super().get_urls(),
        ]

    def view_save_view(self, request: HttpRequest) -> HttpResponse:
        form = ViewForm(self._posted(request))
        if not form.is_valid():
            messages.error(request, _("A view needs a name of at most 60 characters."))
            return self._back(request, str(request.POST.get("query", "")))
        roles = request.user.role_codes()  # type: ignore[union-attr]
        if form.cleaned_data["role"] and form.cleaned_data["role"] not in roles:
            raise PermissionDenied
        try:
            view = view_save(
                model=self.opts.label_lower, actor=actor_of(request), **form.cleaned_data
            )
        except DomainError as refused:
            messages.error(request, str(refused))
            return self._back(request, form.cleaned_data["query"])
        messages.success(request, _("Saved: {name}").format(name=view.name))
        return self._back(request, view.query)

    def view_remove_view(self, request: HttpRequest, view_id: UUID) -> HttpResponse:
        self._posted(request)
        view_remove(view_id=view_id, actor=actor_of(request))
        messages.success(request, _("The view is removed."))
        return self._back(request, "")

    def _posted(self, request: HttpRequest) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            raise Http404
        return request.POST

    def _back(self, request: HttpRequest, query: str) -> HttpResponse:
        url = reverse(f"admin:{self._name}_changelist")
        target = f"{url}?{query}" if query else f"{url}?{ALL}=1"
        if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
            target = url
        return HttpResponseRedirect(target)
