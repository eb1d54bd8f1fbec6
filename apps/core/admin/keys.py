from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin.pages import ReadOnlyAdmin
from apps.core.models import DataKey
from apps.core.templatetags.brokeros import badge


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin):
    """Which keys there are, what wraps them, and which were destroyed. The keys themselves are shown to nobody."""

    list_display = ("id", "subject", "keep", "kek", "created_at", "standing")
    list_filter = ("keep", "kek", ("destroyed_at", admin.EmptyFieldListFilter))
    search_fields = ("=subject", "=id")
    fieldsets = (
        (None, {"fields": (("id", "subject"), ("keep", "kek"))}),
        (_("Life"), {"fields": (("created_at", "retired_at", "destroyed_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("wrapped")

    @display(description=_("State"))
    def standing(self, obj: DataKey) -> str:
        if obj.destroyed_at:
            return badge("DESTROYED", str(_("Destroyed")), tone="bad")
        if obj.retired_at:
            return badge("RETIRED", str(_("Replaced")), tone="warn")
        return badge("CURRENT", str(_("In use")), tone="good")
