"""`BrokerModelAdmin`: the back office's one way to show a row and to change it.

Everything is scoped by `visible_to`, read-only unless declared, never deleted. A change of state is a
`Transition`: a button and a dialog with a reason, behind a permission, that calls the service which the API
and the portal call too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin import display
from django.contrib.admin.utils import unquote
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.core.admin.bulk import BulkMixin, BulkTransition
from apps.core.admin.doors import BrokerInline, DoorsMixin
from apps.core.admin.edits import EditsMixin, WithoutTransaction
from apps.core.admin.exports import ExportMixin
from apps.core.admin.history import SafeHistoryMixin
from apps.core.admin.lists import ListsMixin
from apps.core.admin.masking import MaskedMixin
from apps.core.admin.scope import ScopeMixin, actor_of
from apps.core.admin.transitions import ReasonForm, Transition, TransitionsMixin
from apps.core.panels import Panel, panels_for, receipt_url
from apps.core.timeline import subject_timeline, timeline_url

__all__ = [
    "BrokerInline",
    "BrokerModelAdmin",
    "BulkTransition",
    "ReasonForm",
    "Transition",
    "actor_of",
]


def _with_receipts(fields: Any) -> Any:
    return [
        _with_receipts(field)
        if isinstance(field, list | tuple)
        else ("decision_receipt" if field == "decision_id" else field)
        for field in fields
    ]


class BrokerModelAdmin(
    ScopeMixin,
    MaskedMixin,
    BulkMixin,
    DoorsMixin,
    ListsMixin,
    ExportMixin,
    EditsMixin,
    TransitionsMixin,
    SafeHistoryMixin,
    ModelAdmin,
    WithoutTransaction,
):
    """Subclasses declare `list_display`, `fieldsets`, `transitions`, `panels`; see the module's text."""

    panels: ClassVar[Sequence[type[Panel]]] = ()

    change_form_template = "admin/broker_change_form.html"
    show_full_result_count = False
    list_per_page = 50
    compressed_fields = True
    list_filter_submit = True
    show_timeline = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        declared = super().get_readonly_fields(request, obj)
        names = [f.name for f in self.opts.get_fields() if getattr(f, "concrete", False)]
        names.append("decision_receipt")
        return [
            *declared,
            *(n for n in names if n not in self.editable_fields and n not in declared),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A decision is shown as a link to its receipt wherever a page lists `decision_id`."""
        return [
            (title, {**options, "fields": _with_receipts(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    @display(description=_("Decision"))
    def decision_receipt(self, obj: Any) -> str:
        decision_id = getattr(obj, "decision_id", None)
        url = receipt_url(decision_id)
        if not url:
            return "-"
        return format_html('<a href="{}">{}</a>', url, _("Why: the receipt"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        self._require_permission(request)
        obj = self.get_object(request, unquote(object_id))
        extra = dict(extra_context or {})
        if obj is not None:
            actor = actor_of(request)
            own = [(p, p().context(obj, actor)) for p in self.panels if p.shown_to(actor)]
            extra |= {
                "transition_buttons": self.transition_buttons(request, obj),
                "panels": [(p, c) for p, c in own if c is not None] + panels_for(obj, actor),
                "timeline": subject_timeline(obj, actor) if self.show_timeline else None,
                "timeline_url": timeline_url(obj) if self.show_timeline else "",
            }
        return super().change_view(request, object_id, form_url, extra)
