"""The client's overview: what there is, what is under way, and what to do next."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.clients.models import Client
from apps.core.actor import Actor
from apps.orders.selectors import account_equities
from apps.portal.navigation import address
from apps.portal.selectors import (
    client_of,
    facts_of,
    has_traded,
    money_moved,
    requests_open,
    symbols_held,
    totals,
    trading_accounts_of,
    wallets_of,
)
from apps.portal.steps import next_step, way
from apps.users.selectors import request_actor

PAGES = {
    "application": ("portal:clients-onboarding",),
    "verification": ("portal:kyc-status", "portal:kyc-documents"),
    "account": ("portal:accounts-open", "portal:accounts-new", "portal:accounts-list"),
    "deposit": ("portal:payments-deposit",),
    "transfer": ("portal:payments-transfer",),
    "withdraw": ("portal:payments-withdraw",),
    "trade": ("portal:orders-ticket", "portal:orders-trade"),
    "accounts": ("portal:accounts-list",),
    "wallets": ("portal:payments-wallets", "portal:payments-home"),
    "history": ("portal:payments-history",),
}


@login_required
@never_cache
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """The first page after signing in. Somebody who is not a client is told so."""
    actor = request_actor(request)
    client = client_of(actor)
    if client is None:
        return render(request, "portal/no_client.html", status=403)
    return render(request, "portal/dashboard.html", overview_of(client, actor))


def overview_of(client: Client, actor: Actor) -> dict[str, Any]:
    """Everything the page shows, each list read once."""
    pages = {name: address(*names) for name, names in PAGES.items()}
    accounts = trading_accounts_of(client, actor)
    wallets = wallets_of(client)
    figures = account_equities(account.id for account in accounts)
    symbols = symbols_held(accounts)
    facts = facts_of(
        client,
        accounts,
        wallets,
        has_trading_money=any(figure.equity.amount > 0 for figure in figures.values()),
        has_traded=has_traded(accounts),
    )
    step = next_step(facts)
    return {
        "client": client,
        "pages": pages,
        "accounts": [(account, figures.get(account.id)) for account in accounts],
        "equity_totals": totals(figure.equity for figure in figures.values()),
        "floating_totals": totals(figure.floating for figure in figures.values())
        if symbols
        else [],
        "positions_count": sum(symbols.values()),
        "symbols": ",".join(sorted(symbols)),
        "prices_missing": not all(figure.complete for figure in figures.values()),
        "wallets": wallets,
        "wallet_totals": totals(wallet.available for wallet in wallets),
        "held": totals(wallet.held for wallet in wallets if wallet.held),
        "step": step,
        "step_url": pages.get(step.page, "") if step else "",
        "way": way(facts),
        "requests": requests_open(client, accounts),
        "moved": money_moved(client),
    }
