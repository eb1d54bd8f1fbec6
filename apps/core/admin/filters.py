"""Filters whose choices are within scope: a list of names beside the rows would tell what the rows do not."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import get_fields_from_path, reverse_field_path
from django.db import models
from django.http import HttpRequest

from apps.core.admin.scope import actor_of


def rows_in_scope(model: type[models.Model], page: Any, request: HttpRequest) -> Any:
    """What this person sees of another model: as its own page shows it, or by its scope."""
    try:
        return page.admin_site.get_model_admin(model).get_queryset(request)
    except NotRegistered:
        rows: Any = model._default_manager.all()
        return rows.visible_to(actor_of(request)) if hasattr(rows, "visible_to") else rows


class ScopedRelatedFilter(admin.RelatedFieldListFilter):
    """Offers the related rows that this person sees, and no others."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[Any, Any]]:
        seen = rows_in_scope(field.remote_field.model, model_admin, request)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(  # type: ignore[no-any-return]
            include_blank=False,
            ordering=ordering,
            limit_choices_to={"pk__in": seen.order_by().values("pk")},
        )


class ScopedValuesFilter(admin.AllValuesFieldListFilter):
    """Offers the values that occur in rows within scope, also on the far side of a relation."""

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: Any,
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        parent, _reverse = reverse_field_path(model, field_path)
        if parent is not model:
            seen = rows_in_scope(parent, model_admin, request)  # type: ignore[arg-type]
            values = seen.order_by(field.name).values_list(field.name, flat=True)
            self.lookup_choices = values.distinct()


def scoped_filter(model: type[models.Model], declared: Any) -> Any:
    """The declared filter with the scoped class in place of the framework's."""
    if not isinstance(declared, str):
        return declared
    field = get_fields_from_path(model, declared)[-1]
    if getattr(field, "remote_field", None) is not None:
        return (declared, ScopedRelatedFilter)
    plain = isinstance(field, models.CharField | models.TextField) and not field.choices
    return (declared, ScopedValuesFilter) if plain else declared
