"""Deposits, withdrawals and transfers: one page each, with everything that a decision needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.admin import BrokerModelAdmin, BulkTransition, Transition, actor_of
from apps.core.admin.pages import paper_response
from apps.core.templatetags.brokeros import badge
from apps.payments.dossier import dossier_paper, dossier_print
from apps.payments.enums import CreditState, WithdrawalState
from apps.payments.exports import DEPOSITS, WITHDRAWALS
from apps.payments.models import Deposit, Transfer, Withdrawal
from apps.payments.panels import (
    ApprovalPanel,
    AttemptsPanel,
    CheckListPanel,
    ClosedLoopPanel,
    DossierPanel,
)
from apps.payments.permissions import (
    APPROVE_WITHDRAWAL,
    DECIDE_DEPOSIT,
    REJECT_WITHDRAWAL,
    RESOLVE_PAYOUT,
    RETRY_TRANSFER,
    VIEW_PAYMENTS,
)
from apps.payments.selectors import withdrawal_get
from apps.payments.services.deposits import deposit_approve, deposit_return
from apps.payments.services.payouts import payout_resolve
from apps.payments.services.transfers import transfer_retry
from apps.payments.services.withdrawals import withdrawal_approve, withdrawal_reject

S = WithdrawalState


class MoneyAdmin(BrokerModelAdmin):
    list_select_related: Any = ("client__person",)
    search_fields: Any = ("=id", "client__number", "client__person__names__blind")

    @admin.display(description=_("amount"), ordering="amount_minor")
    def sum(self, obj: Any) -> str:
        return format_html('<span class="bo-num">{}</span>', obj.amount)

    @admin.display(description=_("state"), ordering="state")
    def where(self, obj: Any) -> str:
        return badge(obj.state, obj.get_state_display())

    @admin.display(description=_("ended as"), ordering="outcome")
    def ended(self, obj: Any) -> str:
        return badge(obj.outcome, obj.get_outcome_display()) if obj.outcome else ""

    @admin.display(description=_("payment"), ordering="payment")
    def paid(self, obj: Any) -> str:
        return badge(obj.payment, obj.get_payment_display())

    @admin.display(description=_("credit"), ordering="credit")
    def credited(self, obj: Any) -> str:
        return badge(obj.credit, obj.get_credit_display())

    @admin.display(description=_("fee"))
    def quoted_fee(self, obj: Any) -> str:
        return format_html('<span class="bo-num">{}</span>', obj.fee)

    @admin.display(description=_("reaches the other side"))
    def net_sum(self, obj: Any) -> str:
        return format_html('<span class="bo-num">{}</span>', obj.net)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["sum", "quoted_fee", "net_sum", *super().get_readonly_fields(request, obj)]


@admin.register(Deposit)
class DepositAdmin(MoneyAdmin):
    export = DEPOSITS
    list_display = (
        "created_at",
        "client",
        "sum",
        "method",
        "paid",
        "credited",
        "settlement",
        "why",
    )
    list_display_links = ("created_at", "client")
    list_filter = ("payment", "credit", "settlement", "method", "currency")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("client", "method"),
                    ("sum", "quoted_fee", "net_sum"),
                    ("payment", "credit", "settlement"),
                    "why",
                )
            },
        ),
        (_("Paid with"), {"fields": (("instrument", "payer_matches", "first_deposit"),)}),
        (
            _("Times"),
            {"fields": (("created_at", "expires_at"), ("paid_at", "credited_at"), "decision_id")},
        ),
    )
    panels = (AttemptsPanel,)
    transitions = (
        Transition(
            "credit", _("Credit"), deposit_approve, DECIDE_DEPOSIT, target="deposit_id", tone="primary",
            visible=lambda obj: obj.credit == CreditState.UNDER_REVIEW,
            explanation=_("The money reaches the client's wallet at once."),
        ),
        Transition(
            "return", _("Return"), deposit_return, DECIDE_DEPOSIT, target="deposit_id", tone="danger",
            visible=lambda obj: obj.credit == CreditState.UNDER_REVIEW,
            explanation=_("The provider sends it back to where it came from."),
        ),
    )  # fmt: skip


@admin.register(Withdrawal)
class WithdrawalAdmin(MoneyAdmin):
    export = WITHDRAWALS
    bulk = (BulkTransition("reject"),)
    list_display = (
        "created_at", "client", "sum", "method", "destination", "where", "ended", "approvals_required",
    )  # fmt: skip
    list_display_links = ("created_at", "client")
    list_filter = ("state", "outcome", "method", "currency")
    list_select_related = ("client__person", "destination")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("client", "destination"),
                    ("sum", "quoted_fee", "net_sum"),
                    ("state", "outcome", "why"),
                )
            },
        ),
        (
            _("At the provider"),
            {
                "fields": (
                    ("provider", "provider_payout_id"),
                    ("submitted_at", "asked_at", "sent_at"),
                )
            },
        ),
        (
            _("Times"),
            {"fields": (("created_at", "checked_at"), ("approved_at", "ended_at"), "decision_id")},
        ),
    )
    panels = (DossierPanel, CheckListPanel, ApprovalPanel, ClosedLoopPanel)
    transitions = (
        Transition(
            "approve", _("Approve"), withdrawal_approve, APPROVE_WITHDRAWAL, target="withdrawal_id", tone="primary",
            visible=lambda obj: obj.state == S.PENDING_APPROVAL,
            explanation=_("The last approval runs every check again before the money leaves."),
        ),
        Transition(
            "reject", _("Reject"), withdrawal_reject, REJECT_WITHDRAWAL, target="withdrawal_id", tone="danger",
            visible=lambda obj: obj.state == S.PENDING_APPROVAL,
            explanation=_("The money is free in the client's wallet again. The client reads your reason."),
        ),
        Transition(
            "release", _("The provider never had it"), payout_resolve, RESOLVE_PAYOUT, target="withdrawal_id",
            tone="danger", visible=lambda obj: obj.state == S.ASSISTANCE,
            explanation=_("Only with the provider's word. When somebody else agrees, the money is the client's again."),
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:withdrawal_id>/dossier/", view(self.dossier_view), name="payments_withdrawal_dossier"),
            path("<uuid:withdrawal_id>/dossier.pdf", view(self.dossier_pdf), name="payments_withdrawal_dossier_pdf"),
            *super().get_urls(),
        ]  # fmt: skip

    def dossier_view(self, request: HttpRequest, withdrawal_id: UUID) -> HttpResponse:
        """The dossier as a page: the same paper that is printed."""
        actor = actor_of(request)
        actor.require(VIEW_PAYMENTS)
        withdrawal = withdrawal_get(withdrawal_id, actor=actor)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Withdrawal dossier"),
            "opts": self.opts,
            "paper": dossier_paper(withdrawal),
            "pdf_url": reverse("admin:payments_withdrawal_dossier_pdf", args=[withdrawal_id]),
            "back_url": reverse("admin:payments_withdrawal_change", args=[withdrawal_id]),
        }
        return render(request, "admin/paper.html", context)

    def dossier_pdf(self, request: HttpRequest, withdrawal_id: UUID) -> HttpResponse:
        """The signed document."""
        raw = dossier_print(withdrawal_id=withdrawal_id, actor=actor_of(request))
        return paper_response(raw, f"withdrawal-{withdrawal_id}.pdf")


@admin.register(Transfer)
class TransferAdmin(MoneyAdmin):
    bulk = (BulkTransition("retry"),)
    list_display = (
        "created_at",
        "client",
        "sum",
        "direction",
        "account",
        "where",
        "attempts",
        "why",
    )
    list_display_links = ("created_at", "client")
    list_filter = ("state", "direction", "currency")
    list_select_related = ("client__person", "account__account_type")
    fieldsets = (
        (None, {"fields": (("client", "account"), ("sum", "direction"), ("state", "why"))}),
        (
            _("Times"),
            {"fields": (("created_at", "tried_at", "attempts"), "finished_at", "decision_id")},
        ),
    )
    transitions = (
        Transition(
            "retry", _("Ask again now"), transfer_retry, RETRY_TRANSFER, target="transfer_id", tone="primary",
            visible=lambda obj: not obj.is_finished,
            explanation=_("The platform is asked about the reference first; nothing is done twice."),
        ),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        return [name for name in shown if name not in ("quoted_fee", "net_sum")]
