"""The reviewers' desk: the queue, a case with its documents beside the checks, the decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core import clock
from apps.core.admin import BrokerModelAdmin, BulkTransition, ReasonForm, Transition, actor_of
from apps.core.templatetags.brokeros import badge, duration
from apps.kyc.enums import UNDECIDED, WITH_STAFF, CaseRejectReason, CaseState, RejectReason
from apps.kyc.models import Document, KycCase
from apps.kyc.panels import DeclaredPanel, RiskPanel, check_rows
from apps.kyc.permissions import APPROVE_CASE, REJECT_CASE, REVIEW_CASE, VIEW_DOCUMENTS
from apps.kyc.responses import document_response
from apps.kyc.selectors import documents_of, money_waiting, next_in_queue
from apps.kyc.services import (
    case_approve,
    case_claim,
    case_escalate,
    case_reject,
    case_release,
    case_request_information,
    case_request_resubmission,
    document_accept,
    document_open,
    document_reject,
)


def _words(label: Any, *, required: bool = False, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=1000,
        help_text=help_text,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


SEEN = _("The client reads this.")
UNSEEN = _("The client never reads this.")


class NoQuestions(forms.Form):
    """A step that explains itself."""


class ApproveForm(ReasonForm):
    internal_comment = _words(_("Internal comment"), help_text=UNSEEN)


class ResubmissionForm(ReasonForm):
    client_comment = _words(_("Comment"), help_text=SEEN)
    internal_comment = _words(_("Internal comment"), help_text=UNSEEN)
    field_order = ("client_comment", "internal_comment", "reason")


class InformationForm(ReasonForm):
    client_comment = _words(_("Question"), required=True, help_text=SEEN)
    internal_comment = _words(_("Internal comment"), help_text=UNSEEN)
    field_order = ("client_comment", "internal_comment", "reason")


class RejectCaseForm(ReasonForm):
    code = forms.ChoiceField(
        label=_("Why"), choices=CaseRejectReason.choices, widget=UnfoldAdminSelectWidget
    )
    internal_comment = _words(_("Internal comment"), help_text=UNSEEN)
    field_order = ("code", "internal_comment", "reason")


class AcceptDocumentForm(forms.Form):
    """What the reviewer reads from the document."""

    needs_obj = True
    country = forms.CharField(
        label=_("Issued in"), max_length=2, required=False, widget=UnfoldAdminTextInputWidget
    )
    number = forms.CharField(
        label=_("Number"), max_length=40, required=False, widget=UnfoldAdminTextInputWidget
    )
    issued_on = forms.DateField(
        label=_("Issued"), required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )  # fmt: skip
    expires_on = forms.DateField(
        label=_("Expires"), required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )  # fmt: skip

    def __init__(self, *args: Any, obj: Document, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            self.fields[name].initial = getattr(obj, name)


class RejectDocumentForm(forms.Form):
    code = forms.ChoiceField(
        label=_("Why"), choices=RejectReason.choices, widget=UnfoldAdminSelectWidget
    )
    client_comment = _words(_("Comment"), help_text=SEEN)
    internal_comment = _words(_("Internal comment"), help_text=UNSEEN)


def _since(moment: datetime | None) -> str:
    return duration(clock.now() - moment) if moment else "—"


def _with_staff(case: KycCase) -> bool:
    return CaseState(case.state) in WITH_STAFF


def _claimed(case: KycCase) -> bool:
    return _with_staff(case) and case.claim_holder() is not None


@admin.register(KycCase)
class KycCaseAdmin(BrokerModelAdmin):
    change_form_template = "kyc/admin/review.html"
    bulk = (BulkTransition("claim"), BulkTransition("release"))
    list_display = (
        "client", "entity", "shown_state", "waits", "due", "money", "round", "claimed_by",
        "level",
    )  # fmt: skip
    list_filter = ("state", "client__entity", "client__risk_rating", "level")
    list_select_related = ("client__person", "client__entity", "claimed_by")
    search_fields = ("client__number", "client__person__names__blind")
    ordering = ("submitted_at",)
    fieldsets = (
        (
            _("Record"),
            {
                "classes": ("collapse",),
                "fields": (
                    ("client", "state", "level", "round"),
                    ("submitted_at", "review_due_at", "decided_at", "decided_by"),
                    ("reject_reason", "decision_id"),
                    "client_comment",
                    "internal_comment",
                ),
            },
        ),
    )
    panels = (RiskPanel,)
    transitions = (
        Transition(
            "claim", _("Take this case"), case_claim, REVIEW_CASE, NoQuestions, target="case_id",
            tone="primary", visible=lambda case: _with_staff(case) and not _claimed(case),
            explanation=_("Nobody else can decide on it for half an hour."),
        ),
        Transition(
            "approve", _("Approve"), case_approve, APPROVE_CASE, ApproveForm, target="case_id",
            tone="primary", visible=_claimed,
            explanation=_("The rules name the level; a complete application becomes active."),
        ),
        Transition(
            "resubmission", _("Ask to send again"), case_request_resubmission, REVIEW_CASE,
            ResubmissionForm, target="case_id", visible=_claimed,
            explanation=_("The client sees each rejected document with its reason."),
        ),
        Transition(
            "information", _("Ask a question"), case_request_information, REVIEW_CASE,
            InformationForm, target="case_id", visible=_claimed,
        ),
        Transition(
            "escalate", _("Escalate"), case_escalate, REVIEW_CASE, target="case_id",
            visible=lambda case: _claimed(case) and case.state == CaseState.MANUAL_REVIEW,
            explanation=_("The client sees no difference."),
        ),
        Transition(
            "release", _("Give back"), case_release, REVIEW_CASE, NoQuestions, target="case_id",
            visible=_claimed,
        ),
        Transition(
            "reject", _("Reject for good"), case_reject, REJECT_CASE, RejectCaseForm,
            target="case_id", tone="danger", visible=_claimed,
            explanation=_("Final: the client cannot send anything again and is told no reason."),
        ),
    )  # fmt: skip

    @display(description=_("Entity"), ordering="client__entity__code")
    def entity(self, obj: KycCase) -> str:
        return obj.client.entity.code

    @display(description=_("State"), ordering="state")
    def shown_state(self, obj: KycCase) -> str:
        return badge(obj.state, obj.get_state_display())

    @display(description=_("Waits"), ordering="submitted_at")
    def waits(self, obj: KycCase) -> str:
        return _since(obj.submitted_at) if _with_staff(obj) else "—"

    @display(description=_("Due"), ordering="review_due_at")
    def due(self, obj: KycCase) -> str:
        if not _with_staff(obj) or obj.review_due_at is None:
            return "—"
        left = obj.review_due_at - clock.now()
        words = duration(left)
        return badge("OVERDUE", words) if left.total_seconds() < 0 else words

    @display(description=_("Money waiting"))
    def money(self, obj: KycCase) -> str:
        if not _with_staff(obj):
            return "—"
        return " + ".join(map(str, getattr(obj, "money_waiting", []))) or "—"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with the money that waits behind each case, found in one query."""
        base = super().get_changelist(request, **kwargs)

        class CaseList(base):  # type: ignore[valid-type,misc]
            def get_results(self, request: HttpRequest) -> None:
                super().get_results(request)
                waiting = money_waiting([case.client_id for case in self.result_list])
                for case in self.result_list:
                    case.money_waiting = waiting.get(case.client_id, [])

        return CaseList

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("client__person", "client__entity")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra = {**(extra_context or {})}
        case = self.get_object(request, object_id)
        if case is not None:
            extra |= self._review(request, case)
        return super().change_view(request, object_id, form_url, extra)

    def _review(self, request: HttpRequest, case: KycCase) -> dict[str, Any]:
        actor = actor_of(request)
        checks = check_rows(case)
        may_review = actor.allows(REVIEW_CASE) and case.claim_holder() == actor.user_id
        documents = documents_of(case) if actor.allows(VIEW_DOCUMENTS) else []
        declared = DeclaredPanel()
        return {
            "review_documents": [
                {
                    "document": document,
                    "checks": [row for row in checks if row["document_id"] == str(document.pk)],
                    "decide": may_review and document.state in UNDECIDED,
                }
                for document in documents
            ],
            "client_checks": [row for row in checks if not row["document_id"]],
            "declared": declared.context(case, actor) if actor.allows(VIEW_DOCUMENTS) else None,
            "claim_holder": case.claimed_by if case.claim_holder() else None,
            "mine": may_review,
            "waiting_money": money_waiting([case.client_id]).get(case.client_id, []),
            "next_url": reverse("admin:kyc_kyccase_next") + f"?after={case.pk}",
        }

    def get_urls(self) -> list[URLPattern]:
        return [
            path("next/", self.admin_site.admin_view(self.next_view), name="kyc_kyccase_next"),
            *super().get_urls(),
        ]

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """The next case that nobody else works on, or the list when there is none."""
        actor = actor_of(request)
        actor.require(REVIEW_CASE)
        try:
            after = UUID(request.GET.get("after", ""))
        except ValueError:
            after = None
        case = next_in_queue(actor=actor, after=after)
        if case is None:
            messages.success(request, _("Nothing waits: the queue is empty."))
            return redirect("admin:kyc_kyccase_changelist")
        return redirect("admin:kyc_kyccase_change", case.pk)


@admin.register(Document)
class DocumentAdmin(BrokerModelAdmin):
    list_display = (
        "client", "kind", "side", "country", "shown_state", "expires_on", "created_at",
    )  # fmt: skip
    list_filter = ("state", "kind", "country")
    list_select_related = ("case__client__person",)
    search_fields = (
        "case__client__number",
        "case__client__person__names__blind",
        "number_index__blind",
    )
    ordering = ("-created_at",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("case", "kind", "side"),
                    ("country", "number"),
                    ("issued_on", "expires_on"),
                )
            },
        ),
        (
            _("Decision"),
            {
                "fields": (
                    ("state", "reject_reason", "reject_final"),
                    ("decided_by", "decided_at"),
                    "client_comment",
                    "internal_comment",
                )
            },
        ),
        (
            _("File"),
            {"fields": (("content_type", "size_bytes", "width", "height"), "source_sha256")},
        ),
    )
    transitions = (
        Transition(
            "accept", _("Accept"), document_accept, REVIEW_CASE, AcceptDocumentForm, tone="primary",
            visible=lambda document: document.state in UNDECIDED,
            explanation=_("Correct what was typed by what you read."),
        ),
        Transition(
            "reject", _("Reject"), document_reject, REVIEW_CASE, RejectDocumentForm, tone="danger",
            visible=lambda document: document.state in UNDECIDED or document.state == "ACCEPTED",
        ),
    )  # fmt: skip

    @display(description=_("Client"), ordering="case__client__number")
    def client(self, obj: Document) -> str:
        return str(obj.case.client)

    @display(description=_("State"), ordering="state")
    def shown_state(self, obj: Document) -> str:
        return badge(obj.state, obj.get_state_display())

    def after_transition_url(self, request: HttpRequest, obj: Document) -> str:
        return reverse("admin:kyc_kyccase_change", args=[obj.case_id])

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:document_id>/file/",
                self.admin_site.admin_view(self.file_view),
                name="kyc_document_file",
            ),
            *super().get_urls(),
        ]

    def file_view(
        self, request: HttpRequest, document_id: UUID
    ) -> HttpResponse | HttpResponseRedirect:
        """The file, within scope and permission, with the look written down first."""
        document, content = document_open(
            document_id=document_id, purpose="review", actor=actor_of(request)
        )
        return document_response(document, content)
