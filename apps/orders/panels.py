"""What orders show on their own page, on accounts and clients, and what waits for dealers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.panels import Panel, QueueRow, register_panel, register_queue
from apps.core.timeline import TimelineEntry, Window, client_of, register_timeline
from apps.orders.errors import AccountNotInEngine, sentence_for
from apps.orders.models import Order
from apps.orders.permissions import VIEW_EXECUTION, VIEW_ORDER, VIEW_POSITION
from apps.orders.selectors import (
    account_equity,
    child_orders_silent,
    execution_list,
    order_children,
    order_events,
    order_executions,
    orders_open,
    positions_open,
)

SILENCE_SLA = timedelta(minutes=5)
RECENT = 10

STAGES = (
    ("captured_at", _("Captured")),
    ("validated_at", _("Validated")),
    ("routed_at", _("Routed")),
    ("working_at", _("Working")),
    ("executed_at", _("Executed")),
    ("ended_at", _("Ended")),
)


class StagesPanel(Panel):
    """The order's way through the house, with the time that each step took."""

    title = _("Stages")
    template = "orders/panels/stages.html"

    def context(self, obj: Order, actor: Actor) -> dict[str, Any]:
        steps = []
        for name, label in STAGES:
            at = getattr(obj, name)
            after = (at - obj.captured_at) / timedelta(milliseconds=1) if at else None
            steps.append({"title": label, "at": at, "after_ms": after})
        return {"stages": steps, "reason": sentence_for(obj.code) if obj.code else ""}


class ChecksPanel(Panel):
    """Every pre-trade check with what it saw; the first that failed decided."""

    title = _("Pre-trade checks")
    template = "orders/panels/checks.html"

    def context(self, obj: Order, actor: Actor) -> dict[str, Any]:
        rows = [
            {"name": n.replace("_", " "), "passed": ok, "seen": seen} for n, ok, seen in obj.checks
        ]
        return {"checks": rows, "failing": [(c, sentence_for(c)) for c in obj.failing]}


class OrderLifePanel(Panel):
    """Events, child orders and executions."""

    title = _("What happened")
    template = "orders/panels/life.html"

    def context(self, obj: Order, actor: Actor) -> dict[str, Any]:
        return {
            "events": list(order_events(obj.id)),
            "children": list(order_children(obj.id)),
            "executions": list(order_executions(obj.id)),
        }


class AccountTradingPanel(Panel):
    """Equity, positions and working orders of a trading account."""

    title = _("Trading")
    template = "orders/panels/account.html"
    permission = VIEW_POSITION

    def context(self, obj: Any, actor: Actor) -> dict[str, Any] | None:
        try:
            equity = account_equity(obj.pk)
        except AccountNotInEngine:
            return None
        return {
            "equity": equity,
            "positions": positions_open(obj.pk),
            "orders": list(orders_open(obj.pk)[:RECENT]),
        }


class ClientDealsPanel(Panel):
    """The client's latest deals over all accounts."""

    title = _("Latest deals")
    template = "orders/panels/deals.html"
    permission = VIEW_EXECUTION

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        deals = execution_list(actor=actor).filter(account__client_id=obj.pk)
        return {"executions": list(deals.order_by("-id")[:RECENT])}


def _silent(actor: Actor) -> Iterable[QueueRow]:
    for child in child_orders_silent(actor=actor):
        yield QueueRow(
            label=f"{child.venue} {child.symbol} {child.lots}",
            url=reverse("admin:orders_order_change", args=[child.order_id]),
            since=child.unknown_since or clock.now(),
            sla_due=(child.unknown_since or clock.now()) + SILENCE_SLA,
            severity="high",
            next_action=str(_("Ask the venue; nothing is sent again before it answers")),
        )


def _timeline(subject: Model, actor: Actor, window: Window) -> Iterable[TimelineEntry]:
    """A client's deals, or an account's."""
    client_id = client_of(subject)
    if not actor.allows(VIEW_EXECUTION):
        return
    if client_id is not None:
        deals = execution_list(actor=actor).filter(account__client_id=client_id)
    elif subject._meta.label == "accounts.TradingAccount":
        deals = execution_list(actor=actor).filter(account_id=subject.pk)
    else:
        return
    for deal in window.of(deals, "at"):
        yield TimelineEntry(
            at=deal.at,
            kind="trading",
            title=f"{deal.get_side_display()} {deal.lots} {deal.symbol} @ {deal.deal_price}",
            url=reverse("admin:orders_order_change", args=[deal.order_id]),
            detail=str(deal.realized_money) if deal.realized else "",
        )


register_panel("orders.Order", StagesPanel, order=10)
register_panel("orders.Order", ChecksPanel, order=20)
register_panel("orders.Order", OrderLifePanel, order=30)
register_panel("accounts.TradingAccount", AccountTradingPanel, order=20)
register_panel("clients.Client", ClientDealsPanel, order=60)
register_queue("orders.silent", _("Venues that do not answer"), VIEW_ORDER, _silent)
register_timeline("trading", _("Trading"), _timeline)
