"""A client's trading accounts: what there is, opening one, and changing one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.enums import AccountState, OperationKind
from apps.accounts.models import AccountType, TradingAccount
from apps.accounts.portal.forms import LeverageForm, OpenAccountForm
from apps.accounts.selectors import account_get, account_list, account_types_for, why_not_offered
from apps.accounts.services import account_change_leverage, account_open, leverage_caps
from apps.clients.enums import Lifecycle
from apps.clients.models import Client
from apps.clients.portal.access import client_page
from apps.core.errors import DomainError, NotVisible
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import posted_of
from apps.market.models import MarginClass
from apps.users.selectors import request_actor

GONE = (AccountState.REJECTED, AccountState.CLOSED, AccountState.ARCHIVED)


@require_GET
@client_page
def accounts(request: HttpRequest, client: Client) -> HttpResponse:
    """Every account with its balance and where it stands."""
    rows = list(
        account_list(actor=request_actor(request)).filter(client=client).exclude(state__in=GONE)
    )
    held = _balances(rows)
    context = {
        "accounts": [(row, held[row.pk]) for row in rows],
        "opening": any(row.state == AccountState.PROVISIONING for row in rows),
        "may_open": client.lifecycle == Lifecycle.ACTIVE,
        "client": client,
    }
    return render(request, "accounts/portal/list.html", context)


def _balances(rows: list[TradingAccount]) -> dict[UUID, Money]:
    """What the books hold on each trading account."""
    owners = {f"trading:{row.pk}": row.currency for row in rows}
    posted = posted_of(AccountKind.CLIENT_TRADING, owners)
    return {row.pk: posted[f"trading:{row.pk}"] for row in rows}


@require_GET
@client_page
def choose(request: HttpRequest, client: Client) -> HttpResponse:
    """The types that this client may open, each with what it offers."""
    actor = request_actor(request)
    types = account_types_for(client)
    offers = [(row, leverage_caps(client, row, actor=actor, keep_receipts=False)) for row in types]
    refused = [
        (row, why)
        for row in AccountType.objects.filter(offered=True).select_related("server__platform")
        if client.entity.code in row.entities and (why := why_not_offered(row, client))
    ]
    context = {
        "client": client,
        "offers": offers,
        "refused": refused,
        "active": client.lifecycle == Lifecycle.ACTIVE,
    }
    return render(request, "accounts/portal/choose.html", context)


@require_http_methods(["GET", "POST"])
@client_page
def open_account(request: HttpRequest, client: Client, code: str) -> HttpResponse:
    """One form, one press, one account."""
    actor = request_actor(request)
    chosen = next((row for row in account_types_for(client) if row.code == code), None)
    if chosen is None:
        raise NotVisible
    caps = leverage_caps(client, chosen, actor=actor, keep_receipts=False)
    form = OpenAccountForm(request.POST or None, account_type=chosen, cap=caps.highest)
    if request.method == "POST" and form.is_valid():
        try:
            account = account_open(
                client_id=client.id,
                account_type=chosen.code,
                currency=form.cleaned_data["currency"],
                leverage=form.cleaned_data["leverage"],
                actor=actor,
                request_key=request.POST.get("submission_key", "")[:80],
            )
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            if account.state == AccountState.PENDING_APPROVAL:
                messages.info(request, _("We look at your request and come back to you."))
            else:
                messages.success(request, _("Your account is being opened."))
            return redirect("portal:accounts-account", account.id)
    context = {
        "client": client,
        "type": chosen,
        "form": form,
        "caps": caps,
        "classes": _named_caps(caps.by_class),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/portal/open.html", context, status=status)


def _named_caps(by_class: dict[str, int]) -> list[tuple[str, int]]:
    names = dict(MarginClass.objects.values_list("code", "name"))
    return sorted(
        ((names.get(code, code), cap) for code, cap in by_class.items()), key=lambda row: -row[1]
    )


@require_GET
@client_page
def account(request: HttpRequest, client: Client, account_id: UUID) -> HttpResponse:
    """One account: terms, leverage by market, and every step of its way."""
    row = account_get(account_id, actor=request_actor(request))
    operations = row.operations.filter(
        kind__in=[
            OperationKind.CREATE_ACCOUNT,
            OperationKind.SET_LEVERAGE,
            OperationKind.DEPOSIT,
            OperationKind.WITHDRAWAL,
        ]
    )[:10]
    context = {
        "account": row,
        "balance": _balances([row])[row.pk],
        "classes": _named_caps(
            {code: min(cap, row.leverage) for code, cap in row.leverage_caps.items()}
        ),
        "operations": operations,
        "opening": row.state in (AccountState.PROVISIONING, AccountState.PENDING_APPROVAL),
    }
    return render(request, "accounts/portal/account.html", context)


@require_http_methods(["GET", "POST"])
@client_page
def change_leverage(request: HttpRequest, client: Client, account_id: UUID) -> HttpResponse:
    """Another leverage, within what the rules leave today."""
    actor = request_actor(request)
    row = account_get(account_id, actor=actor)
    caps = leverage_caps(client, row.account_type, actor=actor, keep_receipts=False)
    form = LeverageForm(
        request.POST or None,
        leverages=row.account_type.leverages,
        cap=caps.highest,
        initial={"leverage": row.leverage},
    )
    if request.method == "POST" and form.is_valid():
        try:
            account_change_leverage(
                account_id=row.id, leverage=form.cleaned_data["leverage"], actor=actor
            )
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The platform is changing your leverage."))
            return redirect("portal:accounts-account", row.id)
    status = 422 if form.errors else 200
    context = {"account": row, "form": form, "caps": caps, "classes": _named_caps(caps.by_class)}
    return render(request, "accounts/portal/leverage.html", context, status=status)
