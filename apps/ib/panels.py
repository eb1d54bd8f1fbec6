"""What this app adds to the pages of clients, and the work that waits for partner managers and finance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.money import Money
from apps.core.panels import Panel, QueueRow, register_panel, register_queue
from apps.ib.enums import AccrualState, AgreementState, PayoutState
from apps.ib.models import Accrual, Attribution, Partner, PartnerAgreement, Payout
from apps.ib.performance import balance, funnel
from apps.ib.permissions import (
    APPROVE_PAYOUT,
    MANAGE_PARTNERS,
    PREPARE_PAYOUT,
    REVERSE_ACCRUAL,
    VIEW_PARTNERS,
)
from apps.ib.selectors import ancestors, waterfall

APPLICATION_SLA = timedelta(days=2)
PAYOUT_SLA = timedelta(days=1)


class SourcePanel(Panel):
    """Who introduced the client, through which chain, and what that cost so far."""

    title = _("Partner and source")
    template = "ib/panels/source.html"
    permission = VIEW_PARTNERS

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        attributions = list(
            Attribution.objects.filter(client_id=obj.pk)
            .select_related("partner")
            .order_by("-valid_from")
        )
        current = next((row for row in attributions if row.valid_to is None), None)
        chain_ids = ancestors(current.partner_id, clock.now()) if current else []
        partners = Partner.objects.in_bulk(chain_ids)
        sums = (
            Accrual.objects.filter(client_id=obj.pk)
            .earned()
            .values("currency")
            .annotate(amount=Sum("amount_minor"))
            .order_by("currency")
        )
        return {
            "attributions": attributions,
            "chain": [partners[partner_id] for partner_id in chain_ids],
            "commission": [Money.from_minor(int(row["amount"]), row["currency"]) for row in sums],
            "own_partner": Partner.objects.filter(client_id=obj.pk).first(),
        }


class PerformancePanel(Panel):
    title = _("Performance")
    template = "ib/panels/performance.html"

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        return {"funnel": funnel(obj), "balance": balance(obj), "partner": obj}


class WaterfallPanel(Panel):
    """How the line came to its amount."""

    title = _("How it was computed")
    template = "ib/panels/waterfall.html"

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        return {"line": obj, "steps": waterfall(obj), "reversal": getattr(obj, "reversal", None)}


class PayoutLinesPanel(Panel):
    title = _("Lines")
    template = "ib/panels/payout_lines.html"

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        lines = obj.accruals.select_related("client", "partner", "plan_version__plan")
        return {"lines": list(lines[:200]), "payout": obj}


def _applications(actor: Actor) -> Iterable[QueueRow]:
    rows = PartnerAgreement.objects.visible_to(actor).filter(
        state__in=[AgreementState.APPLIED, AgreementState.UNDER_REVIEW]
    )
    for row in rows.select_related("partner"):
        yield QueueRow(
            label=str(row.partner),
            url=reverse("admin:ib_partner_change", args=[row.partner_id]),
            since=row.applied_at,
            sla_due=row.applied_at + APPLICATION_SLA,
            next_action=str(_("Accept with a plan, or reject")),
        )


def _payouts(actor: Actor, state: PayoutState, action: Any) -> Iterable[QueueRow]:
    for row in Payout.objects.visible_to(actor).filter(state=state).select_related("partner"):
        yield QueueRow(
            label=f"{row.partner.code}: {row.money}",
            url=reverse("admin:ib_payout_change", args=[row.pk]),
            since=row.created_at,
            sla_due=row.created_at + PAYOUT_SLA,
            next_action=str(action),
        )


def _to_submit(actor: Actor) -> Iterable[QueueRow]:
    return _payouts(actor, PayoutState.CALCULATED, _("Check the lines and submit"))


def _to_approve(actor: Actor) -> Iterable[QueueRow]:
    return _payouts(actor, PayoutState.PENDING_APPROVAL, _("Another person decides"))


def _held(actor: Actor) -> Iterable[QueueRow]:
    rows = Accrual.objects.visible_to(actor).filter(state=AccrualState.HELD)
    for row in rows.select_related("partner"):
        yield QueueRow(
            label=f"{row.partner.code}: {row.money} {row.symbol}",
            url=reverse("admin:ib_accrual_change", args=[row.pk]),
            since=row.created_at,
            next_action=str(_("Release or reverse")),
        )


register_panel("clients.Client", SourcePanel, order=60)
register_queue("ib.applications", _("Partner applications"), MANAGE_PARTNERS, _applications)
register_queue("ib.payouts_to_submit", _("Partner payouts to submit"), PREPARE_PAYOUT, _to_submit)
register_queue(
    "ib.payouts_to_approve", _("Partner payouts to approve"), APPROVE_PAYOUT, _to_approve
)
register_queue("ib.held_lines", _("Commission held by a rule"), REVERSE_ACCRUAL, _held)
