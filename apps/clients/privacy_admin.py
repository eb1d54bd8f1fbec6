"""Admin pages of data protection: requests, holds, rules, runs, proofs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.clients.certificate import certificate_pdf
from apps.clients.enums import RetentionRunState
from apps.clients.models import Erasure, LegalHold, PrivacyRequest, RetentionRule, RetentionRun
from apps.clients.permissions import RUN_RETENTION, SET_HOLD, VIEW_PRIVACY, VIEW_RUNS
from apps.clients.services import legal_hold_lift, retention_purge
from apps.core.actor import Actor
from apps.core.admin import BrokerModelAdmin, Transition
from apps.core.panels import Panel
from apps.core.privacy.registry import DataClass


def class_label(code: str) -> str:
    return str(DataClass(code).label)


class AssessmentPanel(Panel):
    """Class by class: may it go, until when must it stay, why."""

    title = _("What may go and what must stay")
    template = "clients/panels/assessment.html"
    permission = VIEW_PRIVACY

    def context(self, obj: PrivacyRequest, actor: Actor) -> dict[str, Any] | None:
        if not obj.assessment:
            return None
        rows = [{**line, "label": class_label(line["data_class"])} for line in obj.assessment]
        return {"rows": rows, "request": obj, "certified": bool(obj.certificate)}


class RunPanel(Panel):
    """What the run found, client by client."""

    title = _("Past their term")
    template = "clients/panels/retention_run.html"
    permission = VIEW_RUNS

    def context(self, obj: RetentionRun, actor: Actor) -> dict[str, Any]:
        gone = {(line["client"], line["class"]) for line in obj.purged}
        return {
            "run": obj,
            "rows": [
                {
                    **line,
                    "label": class_label(line["class"]),
                    "gone": (line["client"], line["class"]) in gone,
                }
                for line in obj.due
            ],
        }


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(BrokerModelAdmin):
    list_display = ("client", "kind", "state", "created_at", "due_at", "ended_at")
    list_filter = ("kind", "state", "client__entity")
    list_select_related = ("client__person",)
    search_fields = ("client__number",)
    ordering = ("-created_at",)
    fieldsets = (
        (None, {"fields": (("client", "kind", "state"), ("asked_by", "created_at", "due_at"))}),
        (_("Answer"), {"fields": (("ready_at", "expires_at", "ended_at"),)}),
    )
    panels = (AssessmentPanel,)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.certificate_view)
        return [
            path("<uuid:pk>/certificate/", view, name="clients_privacyrequest_certificate"),
            *super().get_urls(),
        ]

    def certificate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The signed certificate of an erasure."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404
        if not row.certificate:
            messages.info(request, _("Nothing was erased on this request."))
            return redirect("admin:clients_privacyrequest_change", row.pk)
        answer = HttpResponse(certificate_pdf(row), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="erasure-{row.client.number}.pdf"'
        return answer


@admin.register(LegalHold)
class LegalHoldAdmin(BrokerModelAdmin):
    list_display = ("client", "reason", "placed_by", "created_at", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "client__entity")
    list_select_related = ("client__person",)
    search_fields = ("client__number",)
    fieldsets = (
        (None, {"fields": (("client", "placed_by", "created_at"), "reason")}),
        (_("End"), {"fields": (("lifted_at", "lifted_by"), "lift_reason")}),
    )
    transitions = (
        Transition(
            "lift", _("Ask to lift"), legal_hold_lift, SET_HOLD,
            visible=lambda obj: obj.lifted_at is None,
            explanation=_("Another person has to agree."),
        ),
    )  # fmt: skip


@admin.register(RetentionRule)
class RetentionRuleAdmin(BrokerModelAdmin):
    list_display = ("data_class", "company", "years", "starts", "source")
    list_filter = ("entity", "starts")
    list_select_related = ("entity",)
    fieldsets = (
        (None, {"fields": (("data_class", "entity"), ("years", "starts"), "basis", "source")}),
    )

    @display(description=_("Entity"))
    def company(self, obj: RetentionRule) -> str:
        return obj.entity.code if obj.entity else str(_("every"))


@admin.register(RetentionRun)
class RetentionRunAdmin(BrokerModelAdmin):
    list_display = ("as_of", "state", "found", "done_at")
    list_filter = ("state",)
    fieldsets = ((None, {"fields": (("as_of", "state"), ("created_at", "done_at"))}),)
    panels = (RunPanel,)
    transitions = (
        Transition(
            "purge", _("Propose the purge"), retention_purge, RUN_RETENTION, tone="danger",
            visible=lambda obj: obj.state == RetentionRunState.PREVIEW,
            explanation=_("Nothing is purged before another person agrees. It cannot be undone."),
        ),
    )  # fmt: skip

    @display(description=_("Found"))
    def found(self, obj: RetentionRun) -> int:
        return len(obj.due)


@admin.register(Erasure)
class ErasureAdmin(BrokerModelAdmin):
    list_display = ("client", "data_class", "at", "by", "basis")
    list_filter = ("data_class", "client__entity")
    list_select_related = ("client__person",)
    search_fields = ("client__number",)
    fieldsets = (
        (None, {"fields": (("client", "data_class", "at"), ("by", "basis"), "rows", "keys")}),
    )
    show_timeline = False

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
