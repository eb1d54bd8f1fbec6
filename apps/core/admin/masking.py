"""Field masks in the back office: columns, pages, history, and nothing to be learnt by searching or sorting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models.expressions import F, OrderBy
from django.http import HttpRequest
from simple_history.template_utils import HistoricalRecordContextHelper

from apps.core.admin.scope import actor_of
from apps.core.masks import (
    HIDDEN,
    may_look_up,
    seen,
    shown,
    viewer,
)

Page: Any = object


@dataclass(frozen=True)
class MaskedField:
    """A column or a line of a page that shows one personal field as the viewer reads it."""

    model: type[models.Model]
    name: str

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def short_description(self) -> Any:
        return self.model._meta.get_field(self.name).verbose_name  # type: ignore[union-attr]

    @property
    def admin_order_field(self) -> str:
        return self.name

    def __call__(self, obj: models.Model) -> Any:
        who = viewer()
        return HIDDEN if who is None else shown(who, obj, self.name)


class MaskedHistory(HistoricalRecordContextHelper):
    """What changed, each value as the viewer reads it."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        ready = super().prepare_delta_change_value(change, value)
        return seen(f"{self.model._meta.label}.{change.field}", ready)


class MaskedMixin(Page):
    """Mixed into the base of every page."""

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return self._masked_names(super().get_list_display(request))

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        links = super().get_list_display_links(request, list_display)
        return self._masked_names(links) if links else links

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        """Without those that the actor reads in part or not at all: searching would be guessing."""
        declared = super().get_search_fields(request)
        return [f for f in declared if may_look_up(actor_of(request), self.model, f)]

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        declared = super().get_list_filter(request)
        return [f for f in declared if self._may_filter(request, f)]

    def _may_filter(self, request: HttpRequest, declared: Any) -> bool:
        path = declared[0] if isinstance(declared, list | tuple) else declared
        return not isinstance(path, str) or may_look_up(actor_of(request), self.model, path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """No lookup in the address reaches a field that is masked for this person."""
        if request is None or not may_look_up(actor_of(request), self.model, lookup):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        base = super().get_changelist(request, **kwargs)
        actor = actor_of(request)

        class MaskedList(base):  # type: ignore[valid-type,misc]
            def get_ordering_field(self, field_name: Any) -> Any:
                found = super().get_ordering_field(field_name)
                return found if may_look_up(actor, self.model, _path_of(found)) else None

        return MaskedList

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            (title, {**options, "fields": self._masked_names(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Personal fields are never edited on a page: who reads part of a value must not overwrite the whole."""
        declared = super().get_readonly_fields(request, obj)
        return [*declared, *(MaskedField(self.model, name) for name in self._personal())]

    def _personal(self) -> Collection[str]:
        return getattr(self.model, "personal_fields", {})

    def _masked_names(self, names: Any) -> tuple[Any, ...]:
        """The same names, each once, with personal fields shown through their mask."""
        shown_as = (
            self._masked_names(name)
            if isinstance(name, list | tuple)
            else (MaskedField(self.model, name) if name in self._personal() else name)
            for name in names
        )
        return tuple(dict.fromkeys(shown_as))

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: Any
    ) -> MaskedHistory:
        return MaskedHistory(self.model, historical_record)


def _path_of(order: Any) -> str:
    """The lookup behind an ordering: a name, an expression of one, or nothing that could be masked."""
    if isinstance(order, OrderBy):
        order = order.expression
    if isinstance(order, F):
        return str(order.name)  # type: ignore[attr-defined]
    return order if isinstance(order, str) else ""
