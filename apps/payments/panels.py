"""Money on the pages of clients and withdrawals, and the work that waits for finance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Model, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TradingAccount
from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.models import Approval
from apps.core.panels import (
    HomeCard,
    Panel,
    QueueRow,
    register_home_card,
    register_panel,
    register_queue,
)
from apps.core.timeline import TimelineEntry, Window, client_of, register_timeline
from apps.ledger.models import Account as LedgerAccount
from apps.ledger.models import Transfer as LedgerTransfer
from apps.ledger.querysets import sees_books
from apps.payments.enums import CheckResult
from apps.payments.models import Deposit, PaymentInstrument, SuspenseItem, Transfer, Withdrawal
from apps.payments.permissions import (
    APPROVE_WITHDRAWAL,
    DECIDE_DEPOSIT,
    RESOLVE_PAYOUT,
    RESOLVE_SUSPENSE,
    RETRY_TRANSFER,
    VIEW_PAYMENTS,
)
from apps.payments.selectors import (
    checks_of,
    deposit_list,
    deposits_to_decide,
    instrument_net,
    net_deposits,
    payouts_unclear,
    suspense_open,
    transfer_list,
    transfers_stuck,
    wallet_account,
    wallet_owner,
    wallets_of,
    withdrawal_list,
    withdrawals_to_decide,
)
from apps.payments.services.checks import LABELS

DECISION_SLA = timedelta(hours=4)
SUSPENSE_SLA = timedelta(days=1)
LATEST = 8
TONES = {CheckResult.PASS: "good", CheckResult.REVIEW: "warn", CheckResult.FAIL: "bad"}


class MoneyPanel(Panel):
    """A client's money: wallets, what came and went, instruments."""

    title = _("Money")
    template = "payments/panels/money.html"
    permission = VIEW_PAYMENTS

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        wallets = [(row, wallet_account(obj.pk, row.currency).pk) for row in wallets_of(obj.pk)]
        return {
            "wallets": wallets,
            "net_deposits": net_deposits(obj.pk),
            "deposits": list(deposit_list(actor=actor).filter(client=obj)[:LATEST]),
            "withdrawals": list(withdrawal_list(actor=actor).filter(client=obj)[:LATEST]),
            "transfers": list(transfer_list(actor=actor).filter(client=obj)[:LATEST]),
            "instruments": list(PaymentInstrument.objects.filter(client=obj)),
        }


class DossierPanel(Panel):
    """Everything about a withdrawal on one paper."""

    title = _("Dossier")
    template = "payments/panels/dossier.html"
    permission = VIEW_PAYMENTS


class CheckListPanel(Panel):
    """Every check with what was seen, and why people were asked."""

    title = _("Check list")
    template = "payments/panels/checks.html"
    permission = VIEW_PAYMENTS

    def context(self, obj: Withdrawal, actor: Actor) -> dict[str, Any]:
        rows = [
            {
                "row": row,
                "label": LABELS.get(row.code, row.code),
                "tone": TONES[CheckResult(row.result)],
            }
            for row in checks_of(obj)
        ]
        return {"rows": rows, "flagged": [line for line in obj.flagged.splitlines() if line]}


class ClosedLoopPanel(Panel):
    """What is still due back to each instrument that money came from."""

    title = _("Where the money came from")
    template = "payments/panels/closed_loop.html"
    permission = VIEW_PAYMENTS

    def context(self, obj: Withdrawal, actor: Actor) -> dict[str, Any]:
        rows = PaymentInstrument.objects.filter(client_id=obj.client_id).order_by("created_at")
        return {
            "rows": [
                {
                    "instrument": row,
                    "net": list(instrument_net(row, without=obj.pk).values()),
                    "chosen": row.pk == obj.destination_id,
                }
                for row in rows
            ]
        }


class ApprovalPanel(Panel):
    """Who has decided what so far."""

    title = _("Approvals")
    template = "payments/panels/approvals.html"
    permission = VIEW_PAYMENTS

    def context(self, obj: Withdrawal, actor: Actor) -> dict[str, Any] | None:
        approval = Approval.objects.filter(pk=obj.approval_id).first() if obj.approval_id else None
        if approval is None:
            return None
        return {"approval": approval, "votes": list(approval.votes.all())}


class AttemptsPanel(Panel):
    """What was tried at which provider, and what was settled."""

    title = _("At the provider")
    template = "payments/panels/attempts.html"
    permission = VIEW_PAYMENTS

    def context(self, obj: Deposit, actor: Actor) -> dict[str, Any]:
        return {
            "attempts": list(obj.attempts.select_related("provider")),
            "settled": getattr(obj, "settled", None),
            "suspense": list(obj.suspense.all()),
        }


class ClientMoneyPanel(Panel):
    """The client's open money on the page of suspense: nothing is known until it is allocated."""

    title = _("What is known")
    template = "payments/panels/suspense.html"
    permission = VIEW_PAYMENTS

    def context(self, obj: SuspenseItem, actor: Actor) -> dict[str, Any]:
        approvals = Approval.objects.filter(subject_type=obj._meta.label, subject_id=str(obj.pk))
        return {"item": obj, "approvals": list(approvals)}


def _money(subject: Model, actor: Actor, window: Window) -> Iterable[TimelineEntry]:
    """Movements in the books: of a client's wallets and trading accounts, or of one payment."""
    if not actor.allows(VIEW_PAYMENTS):
        return []
    client_id = client_of(subject)
    if client_id is not None:
        accounts = TradingAccount.objects.filter(client_id=client_id).values_list("pk", flat=True)
        owners = [wallet_owner(client_id), *(f"trading:{pk}" for pk in accounts)]
        books = list(LedgerAccount.objects.filter(owner__in=owners).values_list("pk", flat=True))
        rows = LedgerTransfer.objects.filter(Q(debit_id__in=books) | Q(credit_id__in=books))
    elif isinstance(subject, Deposit | Withdrawal | Transfer):
        keys = f"{subject._meta.model_name}:{subject.pk}:"
        rows = LedgerTransfer.objects.filter(entry__idempotency_key__startswith=keys)
    else:
        return []
    sees = sees_books(actor)
    return [
        TimelineEntry(
            at=row.created_at,
            kind="money",
            title=f"{row.entry.kind}: {row.money}",
            who=row.entry.actor,
            reason=row.entry.reason,
            url=reverse("admin:ledger_entry_change", args=[row.entry_id]) if sees else "",
            detail=f"{row.debit.get_kind_display()} ← {row.credit.get_kind_display()} ({row.phase})",
        )
        for row in window.of(rows.select_related("entry", "debit", "credit"), "created_at")
    ]


def _page(model: str, row: Any) -> str:
    return reverse(f"admin:payments_{model}_change", args=[row.pk])


def _withdrawals(actor: Actor) -> Iterable[QueueRow]:
    for row in withdrawals_to_decide(actor=actor):
        yield QueueRow(
            label=f"{row.client.number}: {row.amount} → {row.destination.masked}",
            url=_page("withdrawal", row),
            since=row.created_at,
            sla_due=row.created_at + DECISION_SLA,
            next_action=str(_("Approve or reject")),
        )


def _payouts(actor: Actor) -> Iterable[QueueRow]:
    for row in payouts_unclear(actor=actor):
        yield QueueRow(
            label=f"{row.client.number}: {row.amount} · {row.provider.name}",
            url=_page("withdrawal", row),
            since=row.submitted_at or row.created_at,
            severity="high",
            next_action=row.why
            if row.outcome
            else str(_("Ask the provider; nothing is sent again")),
        )


def _deposits(actor: Actor) -> Iterable[QueueRow]:
    for row in deposits_to_decide(actor=actor):
        yield QueueRow(
            label=f"{row.client.number}: {row.amount}",
            url=_page("deposit", row),
            since=row.paid_at or row.created_at,
            sla_due=(row.paid_at or row.created_at) + DECISION_SLA,
            next_action=row.why,
        )


def _suspense(actor: Actor) -> Iterable[QueueRow]:
    for row in suspense_open(actor=actor):
        yield QueueRow(
            label=f"{row.amount} · {row.get_kind_display()}",
            url=_page("suspenseitem", row),
            since=row.created_at,
            sla_due=row.created_at + SUSPENSE_SLA,
            severity="high",
            next_action=row.detail,
        )


def _transfers(actor: Actor) -> Iterable[QueueRow]:
    for row in transfers_stuck(actor=actor):
        yield QueueRow(
            label=f"{row.client.number}: {row.amount} · {row.get_direction_display()}",
            url=_page("transfer", row),
            since=row.created_at,
            severity="high",
            next_action=row.why or str(_("Ask the platform")),
        )


def _waiting(actor: Actor) -> dict[str, Any]:
    counts = [
        (
            _("Withdrawals to approve"),
            "withdrawal",
            "?state__exact=PENDING_APPROVAL",
            withdrawals_to_decide,
        ),
        (_("Deposits under review"), "deposit", "?credit__exact=UNDER_REVIEW", deposits_to_decide),
        (_("Money in suspense"), "suspenseitem", "?state__exact=OPEN", suspense_open),
        (_("Payouts without an answer"), "withdrawal", "?state__exact=UNKNOWN", payouts_unclear),
        (_("Transfers that wait"), "transfer", "?state__exact=STUCK", transfers_stuck),
    ]
    return {
        "rows": [
            {
                "label": label,
                "count": rows(actor=actor).count(),
                "url": reverse(f"admin:payments_{model}_changelist") + query,
            }
            for label, model, query, rows in counts
        ]
    }


register_panel("clients.Client", MoneyPanel, order=30)
register_queue(
    "payments.withdrawals", _("Withdrawals to approve"), APPROVE_WITHDRAWAL, _withdrawals
)
register_queue("payments.deposits", _("Deposits under review"), DECIDE_DEPOSIT, _deposits)
register_queue("payments.payouts", _("Payouts without an answer"), RESOLVE_PAYOUT, _payouts)
register_queue("payments.suspense", _("Money in suspense"), RESOLVE_SUSPENSE, _suspense)
register_queue("payments.transfers", _("Transfers that wait"), RETRY_TRANSFER, _transfers)
register_home_card(
    HomeCard(
        "payments.waiting",
        _("Money"),
        "payments/panels/home.html",
        _waiting,
        VIEW_PAYMENTS,
        order=25,
    )
)
register_timeline("money", _("Money"), _money)
