"""A client's money: wallets, paying in, paying out, moving it, and what happened so far."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.errors import PlatformPending
from apps.accounts.models import TradingAccount
from apps.accounts.selectors import account_list
from apps.clients.models import Client
from apps.clients.portal.access import client_page
from apps.core.errors import Busy, DomainError
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import posted_of
from apps.orders.errors import EngineSilent
from apps.payments.enums import Direction, Method, PaymentState, TransferState, WithdrawalState
from apps.payments.models import PaymentInstrument, PaymentMethod
from apps.payments.portal.forms import (
    BankAccountForm,
    CancelForm,
    DepositForm,
    TransferForm,
    WithdrawForm,
)
from apps.payments.portal.stories import deposit_story, transfer_story, withdrawal_story
from apps.payments.selectors import (
    Wallet,
    deposit_get,
    deposit_list,
    destinations_of,
    latest_attempt,
    methods_for,
    transfer_get,
    transfer_list,
    wallets_of,
    why_no_withdrawal,
    withdrawal_get,
    withdrawal_list,
)
from apps.payments.services.deposits import (
    attempt_ask,
    deposit_cancel,
    deposit_create,
    deposit_return_url,
    deposit_start,
)
from apps.payments.services.destinations import bank_account_add
from apps.payments.services.transfers import transfer_advance, transfer_request
from apps.payments.services.withdrawals import withdrawal_cancel, withdrawal_request
from apps.users.selectors import request_actor

PER_PAGE = 25
T = TypeVar("T")


def _key(request: HttpRequest) -> str:
    return "portal:" + request.POST.get("submission_key", "")[:80]


def _tried(form: forms.Form, act: Callable[[], T]) -> T | None:
    """Run a service; what it refuses is said above the form."""
    try:
        return act()
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return None


@require_GET
@client_page
def wallets(request: HttpRequest, client: Client) -> HttpResponse:
    """Money that is in no trading account, by currency."""
    actor = request_actor(request)
    recent = sorted(
        chain(
            deposit_list(actor=actor).filter(client=client)[:6],
            withdrawal_list(actor=actor).filter(client=client)[:6],
            transfer_list(actor=actor).filter(client=client)[:6],
        ),
        key=lambda row: row.created_at,
        reverse=True,
    )
    context = {"wallets": wallets_of(client.pk), "recent": [_line(row) for row in recent[:6]]}
    return render(request, "payments/portal/wallets.html", context)


# Deposit


@require_http_methods(["GET", "POST"])
@client_page
def deposit(request: HttpRequest, client: Client) -> HttpResponse:
    """Only what this client may use, each with its fee, limits and time before anything is sent."""
    ways = _ways(methods_for(client), client.entity.base_currency)
    chosen = request.GET.get("way", "")
    form = DepositForm(
        request.POST or None,
        ways=list(ways),
        initial={"way": chosen if chosen in ways else next(iter(ways), "")},
    )
    if request.method == "POST" and form.is_valid():
        made = _tried(form, lambda: _deposit_started(request, client, form))
        if made is not None:
            return made
    context = {"form": form, "ways": ways, "picked": form["way"].value()}
    return render(request, "payments/portal/deposit.html", context, status=_status(form))


def kept(request: HttpRequest) -> dict[str, Any]:
    """What was typed here before a proof of identity was asked for."""
    return dict(getattr(request, "kept_input", {}))


def _ways(methods: list[PaymentMethod], base_currency: str) -> dict[str, PaymentMethod]:
    """One for each method and currency, the usual currency first. The rules choose the provider later."""
    ways: dict[str, PaymentMethod] = {}
    order = list(Method)
    for row in sorted(
        methods,
        key=lambda m: (m.currency != base_currency, m.currency, order.index(Method(m.method))),
    ):
        ways.setdefault(f"{row.method}:{row.currency}", row)
    return ways


def _deposit_started(request: HttpRequest, client: Client, form: DepositForm) -> HttpResponse:
    actor = request_actor(request)
    made = deposit_create(
        client_id=client.pk,
        method=form.cleaned_data["way"].partition(":")[0],
        amount=form.cleaned_data["money"],
        request_key=_key(request),
        actor=actor,
    )
    back = request.build_absolute_uri(deposit_return_url(made.pk)) + "?back=1"
    attempt = deposit_start(deposit_id=made.pk, actor=actor, return_url=back)
    if attempt is not None and attempt.hosted_url:
        return redirect(attempt.hosted_url)
    return redirect("portal:payments-deposit-detail", made.pk)


@require_GET
@client_page
def deposit_detail(request: HttpRequest, client: Client, deposit_id: UUID) -> HttpResponse:
    """The truth about one deposit. Who comes back from the provider does not wait for its message: it is asked."""
    row = deposit_get(deposit_id, actor=request_actor(request))
    attempt = latest_attempt(row)
    if "back" in request.GET:
        if attempt is not None and row.is_open:
            with suppress(DomainError):
                attempt_ask(attempt_id=attempt.pk)
        return redirect("portal:payments-deposit-detail", deposit_id)
    context = {
        "deposit": row,
        "attempt": attempt,
        "steps": deposit_story(row),
        "moving": row.is_open
        or (row.payment == PaymentState.SUCCEEDED and row.credit == "NOT_CREDITED"),
        "pay_url": attempt.hosted_url
        if attempt and row.payment == PaymentState.REQUIRES_ACTION
        else "",
    }
    return render(request, "payments/portal/deposit_detail.html", context)


@require_POST
@client_page
def deposit_give_up(request: HttpRequest, client: Client, deposit_id: UUID) -> HttpResponse:
    try:
        deposit_cancel(
            deposit_id=deposit_id, actor=request_actor(request), reason=_("canceled by the client")
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:payments-deposit-detail", deposit_id)


# Withdraw


@require_http_methods(["GET", "POST"])
@client_page
def withdraw(request: HttpRequest, client: Client) -> HttpResponse:
    """Back to where money came from, or to a bank account in the client's name."""
    request_actor(request).require_fresh(_("Ask for a withdrawal"))
    terms = {(row.method, row.currency): row for row in methods_for(client, payouts=True)}
    filled = [row for row in wallets_of(client.pk) if row.available.amount > 0]
    destinations = [(row, _terms_of(row, terms, filled)) for row in destinations_of(client.pk)]
    form = WithdrawForm(
        request.POST or None,
        currencies=[(row.currency, _("%(sum)s free") % {"sum": row.available}) for row in filled],
        initial={"destination": destinations[0][0].pk if destinations else None} | kept(request),
    )
    if request.method == "POST" and form.is_valid():
        made = _tried(
            form,
            lambda: withdrawal_request(
                client_id=client.pk,
                amount=form.cleaned_data["money"],
                destination_id=form.cleaned_data["destination"],
                request_key=_key(request),
                actor=request_actor(request),
            ),
        )
        if made is not None:
            messages.success(request, _("We have set the money aside and look at your request."))
            return redirect("portal:payments-withdrawal-detail", made.pk)
    context = {
        "form": form,
        "destinations": destinations,
        "wallets": filled,
        "picked": str(form["destination"].value() or ""),
        "blocked": why_no_withdrawal(client),
    }
    return render(request, "payments/portal/withdraw.html", context, status=_status(form))


def _terms_of(
    destination: PaymentInstrument,
    terms: dict[tuple[str, str], PaymentMethod],
    filled: list[Wallet],
) -> list[PaymentMethod]:
    """What paying out to it costs and takes, for each currency that the client has."""
    found = (terms.get((destination.method, row.currency)) for row in filled)
    return [row for row in found if row is not None]


@require_GET
@client_page
def withdrawal_detail(request: HttpRequest, client: Client, withdrawal_id: UUID) -> HttpResponse:
    row = withdrawal_get(withdrawal_id, actor=request_actor(request))
    context = {
        "withdrawal": row,
        "steps": withdrawal_story(row),
        "moving": row.state
        in (WithdrawalState.APPROVED, WithdrawalState.SUBMITTED, WithdrawalState.SENT),
    }
    return render(request, "payments/portal/withdrawal_detail.html", context)


@require_POST
@client_page
def withdrawal_stop(request: HttpRequest, client: Client, withdrawal_id: UUID) -> HttpResponse:
    """Cancel, until it is sent."""
    form = CancelForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        withdrawal_cancel(
            withdrawal_id=withdrawal_id,
            actor=request_actor(request),
            reason=reason or _("canceled by the client"),
        )
        messages.success(request, _("Canceled. The money is in your wallet again."))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:payments-withdrawal-detail", withdrawal_id)


@require_http_methods(["GET", "POST"])
@client_page
def bank_account(request: HttpRequest, client: Client) -> HttpResponse:
    """Name a bank account that money may be paid out to."""
    request_actor(request).require_fresh(_("Name a bank account for payouts"))
    typed = {"holder_name": client.person.full_name} | kept(request)
    form = BankAccountForm(request.POST or None, initial=typed)
    if request.method == "POST" and form.is_valid():
        made = _tried(
            form,
            lambda: bank_account_add(
                client_id=client.pk, actor=request_actor(request), **form.cleaned_data
            ),
        )
        if made is not None:
            messages.success(request, _("%(account)s is kept.") % {"account": made.masked})
            return redirect("portal:payments-withdraw")
    return render(
        request, "payments/portal/bank_account.html", {"form": form}, status=_status(form)
    )


# Transfer


@require_http_methods(["GET", "POST"])
@client_page
def transfer(request: HttpRequest, client: Client) -> HttpResponse:
    """Between a wallet and a trading account of the same currency."""
    actor = request_actor(request)
    accounts = [row for row in account_list(actor=actor).filter(client=client) if row.is_live]
    held = _held(accounts)
    balances = {row.currency: row.available for row in wallets_of(client.pk)}
    form = TransferForm(
        request.POST or None,
        accounts={str(row.pk): row.currency for row in accounts},
        initial={
            "account": request.GET.get("account") or (str(accounts[0].pk) if accounts else ""),
            "direction": Direction.TO_ACCOUNT,
        },
    )
    if request.method == "POST" and form.is_valid():
        made = _tried(form, lambda: _transferred(request, client, form))
        if made is not None:
            return redirect("portal:payments-transfer-detail", made)
    context = {
        "form": form,
        "accounts": [
            (row, held[f"trading:{row.pk}"], balances.get(row.currency)) for row in accounts
        ],
        "picked": str(form["account"].value() or ""),
        "direction": form["direction"].value(),
    }
    return render(request, "payments/portal/transfer.html", context, status=_status(form))


def _held(accounts: list[TradingAccount]) -> dict[str, Any]:
    """What the books hold on each account, by its owner's name there."""
    owners = {f"trading:{row.pk}": row.currency for row in accounts}
    return dict(posted_of(AccountKind.CLIENT_TRADING, owners))


def _transferred(request: HttpRequest, client: Client, form: TransferForm) -> UUID:
    made = transfer_request(
        client_id=client.pk,
        account_id=UUID(form.cleaned_data["account"]),
        direction=form.cleaned_data["direction"],
        amount=form.cleaned_data["money"],
        request_key=_key(request),
        actor=request_actor(request),
    )
    try:
        transfer_advance(transfer_id=made.pk)
    except (PlatformPending, EngineSilent, Busy):
        messages.info(request, _("It is on its way. This page follows by itself."))
    identity: UUID = made.pk
    return identity


@require_GET
@client_page
def transfer_detail(request: HttpRequest, client: Client, transfer_id: UUID) -> HttpResponse:
    row = transfer_get(transfer_id, actor=request_actor(request))
    context = {"transfer": row, "steps": transfer_story(row), "moving": not row.is_finished}
    return render(request, "payments/portal/transfer_detail.html", context)


# History


@require_GET
@client_page
def history(request: HttpRequest, client: Client) -> HttpResponse:
    """Everything that moved or was asked to move, newest first."""
    actor = request_actor(request)
    kind = request.GET.get("kind", "")
    lists = {
        "deposits": deposit_list(actor=actor),
        "withdrawals": withdrawal_list(actor=actor),
        "transfers": transfer_list(actor=actor),
    }
    wanted = [lists[kind]] if kind in lists else list(lists.values())
    rows = sorted(
        chain.from_iterable(rows.filter(client=client) for rows in wanted),
        key=lambda row: row.created_at,
        reverse=True,
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "lines": [_line(row) for row in page], "kind": kind}
    return render(request, "payments/portal/history.html", context)


def _line(row: Any) -> dict[str, Any]:
    """One line of a list, whichever kind it is."""
    name = row._meta.model_name
    line = {"row": row, "at": row.created_at, "url": f"portal:payments-{name}-detail"}
    if name == "deposit":
        credited = row.credit != "NOT_CREDITED"
        state = (
            (row.credit, row.get_credit_display())
            if credited
            else (row.payment, row.get_payment_display())
        )
        text = Method(row.method).label
        if row.instrument:
            text = row.instrument.masked
        return line | {"title": _("Deposit"), "icon": "south_west", "state": state, "text": text}
    if name == "withdrawal":
        shown = WithdrawalState(row.shown_state)
        if shown in (WithdrawalState.UNKNOWN, WithdrawalState.ASSISTANCE):
            shown = WithdrawalState.SUBMITTED
        return line | {
            "title": _("Withdrawal"),
            "icon": "north_east",
            "state": (shown.value, shown.label),
            "text": row.destination.masked,
        }
    inward = row.direction == Direction.TO_ACCOUNT
    state = TransferState(row.state)  # type: ignore[assignment]
    return line | {
        "title": _("To trading account") if inward else _("To wallet"),
        "icon": "swap_horiz",
        "state": (state.value, state.label),  # type: ignore[attr-defined]
        "text": row.account.login or "",
    }


def _status(form: forms.Form) -> int:
    return 422 if form.is_bound and form.errors else 200
