"""The partner's own pages: what their people do, what it earns, and how it is paid."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from apps.clients.selectors import own_client
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import DomainError, NotVisible
from apps.ib.enums import AccrualState
from apps.ib.models import Partner, ReferralLink
from apps.ib.performance import (
    Branch,
    balance,
    branch,
    by_day,
    clients_of,
    funnel,
    masked,
    statement,
)
from apps.ib.portal.access import partner_page
from apps.ib.portal.forms import ApplyForm, LinkForm
from apps.ib.selectors import accrual_list, payout_list, plan_version_at, waterfall
from apps.ib.services import link_create, partner_apply
from apps.users.selectors import request_actor

LINES_PER_PAGE = 40
CSV_COLUMNS = (
    "earned_at", "deal", "client", "symbol", "lots", "tier", "kind", "rate", "amount", "currency",
    "state", "corrects", "reason",
)  # fmt: skip
DAYS = 60


@require_GET
@partner_page
def dashboard(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    """The funnel, the money, and both over time."""
    days = by_day(partner, days=DAYS)
    own = plan_version_at(partner.id, clock.now())
    context = {
        "partner": partner,
        "funnel": funnel(partner),
        "balance": balance(partner),
        "days": [
            {
                "day": row.day.isoformat(),
                "earned": float(row.earned),
                "clicks": row.clicks,
                "registrations": row.registrations,
            }
            for row in days
        ],
        "window": DAYS,
        "plan": own,
        "plan_lines": list(own.lines.all()) if own else [],
        "latest": _lines(actor)[:6],
        "link": _address(partner.links.filter(active=True).first()),
    }
    return render(request, "ib/partner/dashboard.html", context)


def _lines(actor: Actor) -> Any:
    return accrual_list(actor=actor).select_related("introducer").order_by("-earned_at", "-id")


def _address(link: ReferralLink | None) -> str:
    return settings.PUBLIC_URL.rstrip("/") + reverse("referral", args=[link.code]) if link else ""


@require_GET
@partner_page
def tree(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    """Everybody below, with what each branch brought."""
    root = branch(partner)
    context = {"root": root, "rows": list(_flat(root)), "partner": partner}
    return render(request, "ib/partner/tree.html", context)


def _flat(node: Branch) -> Any:
    yield node
    for child in node.children:
        yield from _flat(child)


@require_GET
@partner_page
def clients(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    page = Paginator(clients_of(partner), LINES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "ib/partner/clients.html", {"page": page, "partner": partner})


@require_GET
@partner_page
def accruals(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    """Commission lines, newest first."""
    lines = _lines(actor)
    state = request.GET.get("state", "")
    if state in AccrualState.values:
        lines = lines.filter(state=state)
    page = Paginator(lines, LINES_PER_PAGE).get_page(request.GET.get("page"))
    for line in page:
        line.client_label = masked(line.client)
    context = {"page": page, "states": AccrualState.choices, "state": state, "partner": partner}
    return render(request, "ib/partner/accruals.html", context)


@require_GET
@partner_page
def accrual(request: HttpRequest, partner: Partner, actor: Actor, accrual_id: UUID) -> HttpResponse:
    """One line with its whole arithmetic."""
    line = _lines(actor).filter(pk=accrual_id).first()
    if line is None:
        raise NotVisible
    context = {
        "line": line,
        "steps": waterfall(line),
        "client_label": masked(line.client),
        "reversal": getattr(line, "reversal", None),
    }
    return render(request, "ib/partner/accrual.html", context)


def _period(request: HttpRequest) -> tuple[date, date]:
    """The month that was asked for, or the present one."""
    try:
        first = date.fromisoformat(request.GET.get("month", "") + "-01")
    except ValueError:
        first = clock.now().date().replace(day=1)
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, following - timedelta(days=1)


@require_GET
@partner_page
def statement_page(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    """A month to the cent: opening, every line, payouts, closing. As a table or as CSV."""
    start, end = _period(request)
    document = statement(partner, start=start, end=end, actor=actor)
    if request.GET.get("format") == "csv":
        return _as_csv(partner, document)
    for line in document.lines:
        line.client_label = masked(line.client)  # type: ignore[attr-defined]
    months = [_month_back(clock.now().date().replace(day=1), back) for back in range(12)]
    context = {
        "partner": partner,
        "statement": document,
        "months": months,
        "month": start,
        "balance": balance(partner),
    }
    return render(request, "ib/partner/statement.html", context)


def _month_back(first: date, back: int) -> date:
    month = first.year * 12 + first.month - 1 - back
    return date(month // 12, month % 12 + 1, 1)


def _as_csv(partner: Partner, document: Any) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"statement-{partner.code}-{document.start:%Y-%m}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(CSV_COLUMNS)
    for line in document.lines:
        writer.writerow(
            [
                line.earned_at.isoformat(), line.deal_id, masked(line.client), line.symbol, line.lots,
                line.depth, line.kind, line.rate, line.money.amount, line.currency, line.state,
                line.corrects_id or "", "'" + line.reason if line.reason[:1] in "=+-@" else line.reason,
            ]
        )  # fmt: skip
    return response


@require_GET
@partner_page
def payouts(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    context = {
        "payouts": payout_list(actor=actor),
        "balance": balance(partner),
        "partner": partner,
    }
    return render(request, "ib/partner/payouts.html", context)


@require_http_methods(["GET", "POST"])
@partner_page
def links(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    """The partner's addresses with their clicks and QR codes, and a form for another one."""
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            link_create(partner_id=partner.id, actor=actor, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("code", str(refused))
        else:
            messages.success(request, _("Your link is ready."))
            return redirect("partner:links")
    rows = [(link, _address(link)) for link in partner.links.annotate(visits=Count("clicks"))]
    status = 422 if form.errors else 200
    context = {"links": rows, "form": form, "partner": partner}
    return render(request, "ib/partner/links.html", context, status=status)


@require_GET
@partner_page
def link_qr(request: HttpRequest, partner: Partner, actor: Actor, code: str) -> HttpResponse:
    """The QR code of an own link, as SVG."""
    link = partner.links.filter(code=code).first()
    if link is None:
        raise NotVisible
    svg = segno.make(_address(link), error="m").svg_inline(
        scale=6, border=2, dark="#111827", light="#ffffff"
    )
    response = HttpResponse(
        svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1),
        content_type="image/svg+xml",
    )
    if request.GET.get("download"):
        response["Content-Disposition"] = f'attachment; filename="{link.code}.svg"'
    return response


@require_GET
@partner_page
def invite(request: HttpRequest, partner: Partner, actor: Actor) -> HttpResponse:
    """How somebody becomes a sub-partner, and within which rates."""
    version = plan_version_at(partner.id, clock.now())
    context = {
        "partner": partner,
        "address": _address(partner.links.filter(active=True).first()),
        "lines": list(version.lines.all()) if version else [],
        "plan": version.plan if version else None,
    }
    return render(request, "ib/partner/invite.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """A client asks to become a partner."""
    actor = request_actor(request)
    if actor.partner_ids:
        return redirect("partner:dashboard")
    try:
        client = own_client(actor)
    except NotVisible:
        return redirect("portal:dashboard")
    form = ApplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            partner_apply(client_id=client.id, actor=actor, **form.cleaned_data)
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Thank you. We look at your application."))
            return redirect("partner:dashboard")
    status = 422 if form.errors else 200
    return render(request, "ib/partner/apply.html", {"form": form, "client": client}, status=status)
