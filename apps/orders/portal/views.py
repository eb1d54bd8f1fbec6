"""Trading by the client: ticket with live quotes and chart, positions, orders, history."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.models import TradingAccount
from apps.accounts.selectors import account_list
from apps.clients.models import Client
from apps.clients.portal.access import client_page
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import DomainError, NotVisible
from apps.core.ids import new_id
from apps.market.bars import INTERVAL_MINUTES
from apps.market.models import Instrument
from apps.market.selectors import candles, instrument_get, instrument_list, is_open, last_quote
from apps.orders.errors import sentence_for
from apps.orders.portal.forms import CloseForm, TicketForm
from apps.orders.selectors import (
    account_equity,
    execution_list,
    order_children,
    order_events,
    order_executions,
    order_get,
    order_list,
    orders_open,
    positions_open,
)
from apps.orders.services import OrderReply, order_cancel, order_submit, position_close
from apps.users.selectors import request_actor

HISTORY_PAGE = 25
CHART_BARS = 240
FAVOURITE = "EURUSD"


def _accounts(client: Client, actor: Actor) -> list[TradingAccount]:
    """The client's accounts that the engine holds, oldest first."""
    rows = account_list(actor=actor).filter(client=client, engine__isnull=False)
    return list(rows.order_by("activated_at"))


def _chosen(request: HttpRequest, accounts: list[TradingAccount]) -> TradingAccount | None:
    """The account that the address names, else the first."""
    named = request.GET.get("account") or request.POST.get("account") or ""
    for account in accounts:
        if str(account.id) == named:
            return account
    if named:
        raise NotVisible
    return accounts[0] if accounts else None


def _figures(account: TradingAccount) -> dict[str, Any]:
    """What the live part of the pages shows."""
    return {
        "account": account,
        "equity": account_equity(account.id),
        "positions": positions_open(account.id),
        "orders": list(orders_open(account.id)),
    }


@client_page
@require_http_methods(["GET", "POST"])
def ticket(request: HttpRequest, *, client: Client) -> HttpResponse:
    """Choose an instrument, see its price move, send an order."""
    actor = request_actor(request)
    accounts = _accounts(client, actor)
    account = _chosen(request, accounts)
    if account is None:
        return render(request, "orders/portal/no_account.html")
    instruments = list(instrument_list().order_by("asset_class__code", "symbol"))
    symbol = request.GET.get("symbol") or request.POST.get("symbol") or FAVOURITE
    instrument = next(
        (i for i in instruments if i.symbol == symbol), instruments[0] if instruments else None
    )
    if instrument is None:
        return render(request, "orders/portal/no_account.html")
    form = TicketForm(request.POST or None, initial={"quantity": instrument.min_lot})
    status = 200
    if request.method == "POST":
        if form.is_valid() and _submitted(request, form, account, instrument, actor):
            return redirect(_back("portal:orders-ticket", account, instrument.symbol))
        status = 422
    context = {
        **_figures(account),
        "accounts": accounts,
        "instruments": instruments,
        "instrument": instrument,
        "open": is_open(instrument, clock.now()),
        "quote": last_quote(instrument.symbol),
        "form": form,
        "intervals": list(INTERVAL_MINUTES),
        "submission_key": form["submission_key"].value() or new_id(),
    }
    return render(request, "orders/portal/ticket.html", context, status=status)


def _submitted(
    request: HttpRequest,
    form: TicketForm,
    account: TradingAccount,
    instrument: Instrument,
    actor: Actor,
) -> bool:
    """Send the order; a refusal is shown on the form with what to do."""
    values = form.cleaned_data
    try:
        reply = order_submit(
            account_id=account.id,
            client_order_id=values["submission_key"],
            symbol=instrument.symbol,
            side=values["side"],
            type=values["type"],
            quantity=values["quantity"],
            limit_price=values["limit_price"],
            tif=values["tif"] or None,
            actor=actor,
            source="portal",
        )
    except DomainError as refused:
        form.add_error(None, str(refused))
        return False
    if not reply.accepted:
        for code in reply.failing or (reply.code,):
            form.add_error(None, sentence_for(code))
        form.data = {**request.POST.dict(), "submission_key": str(new_id())}
        return False
    _tell(request, reply)
    return True


def _tell(request: HttpRequest, reply: OrderReply) -> None:
    if reply.filled_lots and not reply.open_lots:
        text = _("Filled: %(lots)s lots at %(price)s.") % {
            "lots": reply.filled_lots.normalize(),
            "price": reply.average_price,
        }
        messages.success(request, text)
    elif reply.code:
        messages.warning(request, reply.text)
    else:
        messages.success(request, _("Your order is working."))


def _back(name: str, account: TradingAccount, symbol: str = "") -> str:
    query = {"account": str(account.id)} | ({"symbol": symbol} if symbol else {})
    return f"{reverse(name)}?{urlencode(query)}"


@client_page
@require_GET
def live(request: HttpRequest, *, client: Client) -> HttpResponse:
    """The part of the pages that moves: equity, positions, working orders."""
    account = _chosen(request, _accounts(client, request_actor(request)))
    if account is None:
        raise NotVisible
    return render(request, "orders/portal/live.html", _figures(account))


@client_page
@require_GET
def bars(request: HttpRequest, symbol: str, *, client: Client) -> JsonResponse:
    """Candles for the chart, oldest first."""
    interval = request.GET.get("interval", "M5")
    if interval not in INTERVAL_MINUTES:
        interval = "M5"
    instrument = instrument_get(symbol)
    scale = Decimal(10) ** -instrument.digits
    rows = [
        {
            "time": bar.start_us // 1_000_000,
            **{
                name: float(getattr(bar, name) * scale) for name in ("open", "high", "low", "close")
            },
        }
        for bar in candles(instrument.symbol, interval, CHART_BARS)
    ]
    return JsonResponse(
        {"digits": instrument.digits, "minutes": INTERVAL_MINUTES[interval], "bars": rows}
    )


@client_page
@require_GET
def positions(request: HttpRequest, *, client: Client) -> HttpResponse:
    """Open positions and working orders of one account."""
    accounts = _accounts(client, request_actor(request))
    account = _chosen(request, accounts)
    if account is None:
        return render(request, "orders/portal/no_account.html")
    return render(
        request, "orders/portal/positions.html", {**_figures(account), "accounts": accounts}
    )


@client_page
@require_GET
def history(request: HttpRequest, *, client: Client) -> HttpResponse:
    """Orders and deals that are over, newest first."""
    actor = request_actor(request)
    accounts = _accounts(client, actor)
    account = _chosen(request, accounts)
    if account is None:
        return render(request, "orders/portal/no_account.html")
    show = "deals" if request.GET.get("show") == "deals" else "orders"
    rows = execution_list(actor=actor) if show == "deals" else order_list(actor=actor)
    page = Paginator(rows.filter(account=account).order_by("-id"), HISTORY_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"accounts": accounts, "account": account, "show": show, "page": page}
    return render(request, "orders/portal/history.html", context)


@client_page
@require_GET
def order(request: HttpRequest, order_id: int, *, client: Client) -> HttpResponse:
    """One order: what was asked, what happened, why."""
    found = order_get(order_id, actor=request_actor(request))
    context = {
        "order": found,
        "reasons": [sentence_for(code) for code in found.failing],
        "reason": sentence_for(found.code) if found.code else "",
        "events": order_events(found.id),
        "executions": order_executions(found.id),
        "children": order_children(found.id),
    }
    return render(request, "orders/portal/order.html", context)


@client_page
@require_POST
def close(request: HttpRequest, position_id: int, *, client: Client) -> HttpResponse:
    """Close a position, or a part of it, at market."""
    form = CloseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please enter the lots to close."))
        return redirect(_referrer(request))
    try:
        reply = position_close(
            position_id=position_id,
            client_order_id=form.cleaned_data["submission_key"],
            quantity=form.cleaned_data["quantity"],
            actor=request_actor(request),
            source="portal",
        )
    except DomainError as refused:
        messages.error(request, str(refused))
    else:
        if reply.accepted:
            _tell(request, reply)
        else:
            messages.error(request, reply.text)
    return redirect(_referrer(request))


@client_page
@require_POST
def cancel(request: HttpRequest, order_id: int, *, client: Client) -> HttpResponse:
    """Cancel what is open of an order."""
    try:
        cancelled = order_cancel(order_id=order_id, actor=request_actor(request))
    except DomainError as refused:
        messages.error(request, str(refused))
    else:
        done = _("Cancelled.") if not cancelled.live else _("The cancel is under way.")
        messages.success(request, done)
    return redirect(_referrer(request))


def _referrer(request: HttpRequest) -> str:
    """Back to the trading page the form stood on; never to another site."""
    page = request.POST.get("back", "")
    allowed = {"ticket": "portal:orders-ticket", "positions": "portal:orders-positions"}
    url = reverse(allowed.get(page, "portal:orders-positions"))
    query = {name: request.POST[name] for name in ("account", "symbol") if request.POST.get(name)}
    return f"{url}?{urlencode(query)}" if query else url
