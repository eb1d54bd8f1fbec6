from __future__ import annotations

from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.admin.base import BrokerModelAdmin, Transition, actor_of
from apps.core.approvals import approval_vote, approval_withdraw
from apps.core.models import Approval, ApprovalVote, Mail
from apps.core.panels import Panel
from apps.core.permissions import VOTE_APPROVAL


def approval_approve(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    return approval_vote(
        approval_id=approval_id, actor=actor, verdict=ApprovalVote.Verdict.APPROVE, reason=reason
    )


def approval_reject(*, approval_id: UUID, actor: Actor, reason: str) -> Approval:
    return approval_vote(
        approval_id=approval_id, actor=actor, verdict=ApprovalVote.Verdict.REJECT, reason=reason
    )


def subject_url(subject_type: str, subject_id: str) -> str:
    """The admin page of what a record is about, or nothing when it has none."""
    if not subject_type or not subject_id:
        return ""
    try:
        meta = apps.get_model(subject_type)._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[subject_id])
    except (LookupError, NoReverseMatch):
        return ""


def subject_link(record: Any) -> str:
    url = subject_url(record.subject_type, record.subject_id)
    label = f"{record.subject_type.rpartition('.')[2]} {record.subject_id[-8:]}".strip()
    return format_html('<a href="{}">{}</a>', url, label) if url else label


def paper_response(raw: bytes, name: str) -> HttpResponse:
    """A document to keep: never cached, never guessed to be anything else."""
    answer = HttpResponse(raw, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


class VotesPanel(Panel):
    """What is asked, by whom, and who has decided so far."""

    title = _("Decision")
    template = "admin/panels/approval.html"

    def context(self, obj: Approval, actor: Actor) -> dict[str, Any]:
        return {
            "approval": obj,
            "votes": list(obj.votes.all()),
            "subject_url": subject_url(obj.subject_type, obj.subject_id),
            "is_maker": obj.maker_id == actor.id,
        }


@admin.register(Approval)
class ApprovalAdmin(BrokerModelAdmin):
    """The approval queue: everything that waits for a second or third person."""

    list_display = (
        "title",
        "action",
        "state",
        "maker_label",
        "votes_so_far",
        "created_at",
        "expires_at",
    )
    list_filter = ("state", "action")
    search_fields = ("title", "maker_label", "subject_id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("action", "state"),
                    ("maker_label", "reason"),
                    ("created_at", "expires_at"),
                )
            },
        ),
    )
    panels = (VotesPanel,)
    transitions = (
        Transition(
            "approve", _("Approve"), approval_approve, VOTE_APPROVAL, tone="primary",
            visible=lambda obj: obj.state == Approval.State.PENDING,
        ),
        Transition(
            "reject", _("Reject"), approval_reject, VOTE_APPROVAL, tone="danger",
            visible=lambda obj: obj.state == Approval.State.PENDING,
        ),
        Transition(
            "withdraw", _("Take back"), approval_withdraw, VOTE_APPROVAL,
            visible=lambda obj: obj.state == Approval.State.PENDING,
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("votes")

    def transition_buttons(self, request: HttpRequest, obj: Approval) -> list[dict[str, Any]]:
        is_maker = obj.maker_id == actor_of(request).id
        buttons = super().transition_buttons(request, obj)
        return [b for b in buttons if b["url"].endswith("/withdraw/") == is_maker]

    @admin.display(description=_("approvals"))
    def votes_so_far(self, obj: Approval) -> str:
        given = sum(v.verdict == ApprovalVote.Verdict.APPROVE for v in obj.votes.all())
        return f"{given} / {obj.required}"


class ReadOnlyAdmin(BrokerModelAdmin):
    """Rows that the system writes and people only read."""

    show_timeline = False

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("sent_at", "to", "subject")
    search_fields = ("to_index__blind",)
