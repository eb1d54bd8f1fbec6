"""The back office's pages of partners, the tree, plans, commission lines and payouts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
)

from apps.core import clock
from apps.core.actor import Actor
from apps.core.admin import BrokerInline, BrokerModelAdmin, ReasonForm, Transition, actor_of
from apps.ib.enums import AccrualState, AgreementState, PayoutState
from apps.ib.models import (
    Accrual,
    Attribution,
    Partner,
    PartnerAgreement,
    Payout,
    Plan,
    PlanAssignment,
    PlanLine,
    PlanVersion,
    ReferralLink,
    TreeEdge,
)
from apps.ib.panels import PayoutLinesPanel, PerformancePanel, WaterfallPanel
from apps.ib.performance import branch
from apps.ib.permissions import (
    MANAGE_PARTNERS,
    MANAGE_PLANS,
    MANAGE_TREE,
    PREPARE_PAYOUT,
    REVERSE_ACCRUAL,
    VIEW_PARTNERS,
)
from apps.ib.services import (
    LineDraft,
    accrual_release,
    accrual_reverse,
    attribution_move,
    partner_approve,
    partner_move,
    partner_reactivate,
    partner_reject,
    partner_suspend,
    partner_terminate,
    payout_cancel,
    payout_prepare,
    payout_submit,
    plan_assign,
    plan_version_publish,
)

A = AgreementState


class PlanForm(ReasonForm):
    plan_code = forms.ChoiceField(label=_("Plan"), widget=UnfoldAdminSelectWidget)
    field_order = ("plan_code", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = Plan.objects.filter(versions__state="IN_FORCE").distinct()
        self.fields["plan_code"].choices = [(plan.code, str(plan)) for plan in plans]  # type: ignore[attr-defined]


class _FromForm(ReasonForm):
    valid_from = forms.SplitDateTimeField(
        label=_("From"), required=False, widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("UTC; empty means now. Deals before keep their beneficiaries."),
    )  # fmt: skip


class MovePartnerForm(_FromForm):
    """Under another partner, or to the top when none is chosen."""

    needs_obj = True
    parent_id = forms.TypedChoiceField(
        label=_("Under"),
        required=False,
        coerce=UUID,
        empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("parent_id", "valid_from", "reason")

    def __init__(self, *args: Any, obj: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Partner.objects.exclude(pk=obj.pk)
        self.fields["parent_id"].choices = [  # type: ignore[attr-defined]
            ("", _("Nobody: at the top")), *((str(p.pk), str(p)) for p in others)
        ]  # fmt: skip


class MoveClientForm(_FromForm):
    needs_obj = True
    partner_id = forms.TypedChoiceField(
        label=_("To partner"), coerce=UUID, widget=UnfoldAdminSelectWidget
    )
    field_order = ("partner_id", "valid_from", "reason")

    def __init__(self, *args: Any, obj: Attribution, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Partner.objects.exclude(pk=obj.partner_id)
        self.fields["partner_id"].choices = [(str(p.pk), str(p)) for p in others]  # type: ignore[attr-defined]


def payout_prepare_now(*, partner_id: UUID, actor: Actor, reason: str) -> Payout:
    """Everything earned until this moment."""
    return payout_prepare(partner_id=partner_id, cut_off=clock.now(), actor=actor, reason=reason)


class AgreementInline(BrokerInline):
    model = PartnerAgreement
    fields = ("number", "state", "applied_at", "activated_at", "ended_at")


class AssignmentInline(BrokerInline):
    model = PlanAssignment
    fields = ("plan", "valid_from", "valid_to")


class EdgeInline(BrokerInline):
    model = TreeEdge
    fk_name = "child"
    fields = ("parent", "valid_from", "valid_to")
    verbose_name_plural = _("works under")


class LinkInline(BrokerInline):
    model = ReferralLink
    fields = ("code", "label", "active")


@admin.register(Partner)
class PartnerAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "client", "state_shown", "currency", "manager", "created_at")
    list_filter = ("currency", "agreements__state")
    list_select_related = ("client__person", "manager")
    search_fields = ("code", "name", "client__number")
    fieldsets = ((None, {"fields": (("code", "name", "currency"), ("client", "manager"))}),)
    inlines = (AgreementInline, AssignmentInline, EdgeInline, LinkInline)
    panels = (PerformancePanel,)
    transitions = (
        Transition(
            "approve", _("Accept"), partner_approve, MANAGE_PARTNERS, form=PlanForm, target="partner_id",
            tone="primary", visible=lambda obj: obj.state in (A.APPLIED, A.UNDER_REVIEW),
            explanation=_("The agreement is active at once, with this plan and a first link."),
        ),
        Transition(
            "reject", _("Reject"), partner_reject, MANAGE_PARTNERS, target="partner_id", tone="danger",
            visible=lambda obj: obj.state in (A.APPLIED, A.UNDER_REVIEW),
        ),
        Transition(
            "payout", _("Prepare a payout"), payout_prepare_now, PREPARE_PAYOUT, target="partner_id",
            tone="primary", visible=lambda obj: obj.state in (A.ACTIVE, A.SUSPENDED, A.TERMINATED),
            explanation=_("Freezes every unpaid line until now. Nothing is paid before another person agreed."),
        ),
        Transition(
            "plan", _("Assign a plan"), plan_assign, MANAGE_PLANS, form=PlanForm, target="partner_id",
            visible=lambda obj: obj.state in (A.ACTIVE, A.SUSPENDED),
        ),
        Transition(
            "move", _("Move in the tree"), partner_move, MANAGE_TREE, form=MovePartnerForm, target="partner_id",
            explanation=_("Everybody below moves along."),
        ),
        Transition(
            "suspend", _("Suspend"), partner_suspend, MANAGE_PARTNERS, target="partner_id", tone="danger",
            visible=lambda obj: obj.state == A.ACTIVE,
            explanation=_("Earns nothing from now on. Partners above and below go on as before."),
        ),
        Transition(
            "reactivate", _("Reactivate"), partner_reactivate, MANAGE_PARTNERS, target="partner_id",
            visible=lambda obj: obj.state == A.SUSPENDED,
        ),
        Transition(
            "terminate", _("Terminate"), partner_terminate, MANAGE_PARTNERS, target="partner_id", tone="danger",
            visible=lambda obj: obj.state in (A.ACTIVE, A.SUSPENDED, A.APPROVED),
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("agreements")

    @admin.display(description=_("state"))
    def state_shown(self, obj: Partner) -> str:
        return str(AgreementState(obj.state).label)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("tree/", self.admin_site.admin_view(self.tree_view), name="ib_partner_tree"),
            *super().get_urls(),
        ]

    def tree_view(self, request: HttpRequest) -> HttpResponse:
        """Every tree that the actor sees, with clients, lots and money of each branch."""
        actor = actor_of(request)
        actor.require(VIEW_PARTNERS)
        now = clock.now()
        below = TreeEdge.objects.at(now).values("child_id")
        roots = self.get_queryset(request).exclude(pk__in=below).order_by("code")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Partner tree"),
            "roots": [branch(root, at=now) for root in roots],
            "opts": self.opts,
        }
        return render(request, "ib/admin/tree.html", context)


class PlanLineInline(BrokerInline):
    model = PlanLine
    fields = ("asset_class", "kind", "rates", "reference_contract", "lot_multiplier")


class RatesForm(_FromForm):
    """New rates, one line for each asset class; no asset class stands for all others."""

    rates = forms.CharField(
        label=_("Rates"), widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("One line each: asset class or *, PER_LOT, SPREAD_SHARE or REVENUE_SHARE, rates by distance. "
                    "For example: * PER_LOT 10 2 1"),
    )  # fmt: skip
    field_order = ("rates", "valid_from", "reason")

    def clean_rates(self) -> list[LineDraft]:
        drafts = []
        for line in self.cleaned_data["rates"].splitlines():
            words = line.split()
            if len(words) < 3:
                raise forms.ValidationError(
                    _("Three words at least in each line: “%(line)s”."), params={"line": line}
                )
            asset_class = "" if words[0] == "*" else words[0].upper()
            drafts.append(LineDraft(words[1].upper(), tuple(words[2:]), asset_class))
        return drafts


def plan_rates_publish(
    *, plan_id: UUID, rates: list[LineDraft], valid_from: datetime | None, actor: Actor, reason: str
) -> PlanVersion:
    """The next version of a plan, in force from that moment or from now."""
    plan = Plan.objects.get(pk=plan_id)
    return plan_version_publish(
        plan_code=plan.code,
        lines=rates,
        valid_from=valid_from or clock.now(),
        actor=actor,
        reason=reason,
    )


class VersionInline(BrokerInline):
    model = PlanVersion
    fields = ("number", "valid_from", "state")
    show_change_link = True


@admin.register(Plan)
class PlanAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "currency", "tier_mode")
    inlines = (VersionInline,)
    transitions = (
        Transition(
            "publish", _("Publish new rates"), plan_rates_publish, MANAGE_PLANS, form=RatesForm, target="plan_id",
            tone="primary", explanation=_("Lines that were earned before stay as they are."),
        ),
    )  # fmt: skip


@admin.register(PlanVersion)
class PlanVersionAdmin(BrokerModelAdmin):
    list_display = ("plan", "number", "valid_from", "state")
    list_select_related = ("plan",)
    inlines = (PlanLineInline,)


@admin.register(Attribution)
class AttributionAdmin(BrokerModelAdmin):
    list_display = ("client", "partner", "source", "valid_from", "valid_to", "first_deposit_at")
    list_filter = ("source", "partner")
    list_select_related = ("client__person", "partner")
    search_fields = ("client__number", "partner__code")
    transitions = (
        Transition(
            "move", _("Move to another partner"), attribution_move, MANAGE_TREE, form=MoveClientForm,
            target="attribution_id", visible=lambda obj: obj.valid_to is None,
            explanation=_("After the first deposit another person has to agree."),
        ),
    )  # fmt: skip


@admin.register(Accrual)
class AccrualAdmin(BrokerModelAdmin):
    """Commission lines, each with its arithmetic."""

    list_display = (
        "earned_at",
        "partner",
        "client",
        "symbol",
        "lots",
        "depth",
        "amount",
        "state",
        "payout",
    )
    list_filter = ("state", "kind", "partner", "symbol")
    list_select_related = ("partner", "client__person", "payout")
    search_fields = ("=deal_id", "partner__code", "client__number")
    date_hierarchy = "earned_at"
    show_timeline = True
    panels = (WaterfallPanel,)
    fieldsets = (
        (None, {"fields": (
            ("partner", "introducer"), ("client", "depth"), ("deal_id", "earned_at"),
            ("symbol", "lots"), ("state", "payout"),
        )}),
        (_("Frozen"), {"fields": (
            ("plan_version", "kind"), ("mode", "rate_currency"), ("base", "rate"),
            ("entitlement", "paid_below"), ("fx_rate", "exact"), ("currency", "amount_minor"),
            "inputs", "decision_id", ("corrects", "reason"),
        )}),
    )  # fmt: skip
    transitions = (
        Transition(
            "release", _("Release"), accrual_release, REVERSE_ACCRUAL, target="accrual_id", tone="primary",
            visible=lambda obj: obj.state == AccrualState.HELD,
        ),
        Transition(
            "reverse", _("Reverse"), accrual_reverse, REVERSE_ACCRUAL, target="accrual_id", tone="danger",
            visible=lambda obj: obj.corrects_id is None and not hasattr(obj, "reversal"),
            explanation=_("Writes a second line with the opposite sign. What was paid is taken from the next payout."),
        ),
    )  # fmt: skip

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, obj: Accrual) -> str:
        return str(obj.money)


@admin.register(Payout)
class PayoutAdmin(BrokerModelAdmin):
    list_display = ("number", "partner", "amount", "lines", "cut_off", "state", "paid_at")
    list_filter = ("state", "currency")
    list_select_related = ("partner",)
    search_fields = ("number", "partner__code")
    panels = (PayoutLinesPanel,)
    fieldsets = (
        (None, {"fields": (
            ("number", "partner"), ("amount", "lines"), ("state", "currency"), ("cut_off", "paid_at"),
            "approval_id", "decision_id", "entry_id",
        )}),
    )  # fmt: skip
    readonly_fields = ("amount",)
    transitions = (
        Transition(
            "submit", _("Submit for approval"), payout_submit, PREPARE_PAYOUT, target="payout_id", tone="primary",
            visible=lambda obj: obj.state == PayoutState.CALCULATED,
            explanation=_("Somebody else decides in the approval queue; then it is paid into the partner's wallet."),
        ),
        Transition(
            "cancel", _("Cancel"), payout_cancel, PREPARE_PAYOUT, target="payout_id", tone="danger",
            visible=lambda obj: obj.state in (PayoutState.CALCULATED, PayoutState.PENDING_APPROVAL),
            explanation=_("Its lines go into the next payout."),
        ),
    )  # fmt: skip

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, obj: Payout) -> str:
        return str(obj.money)
