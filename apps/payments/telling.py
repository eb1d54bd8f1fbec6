"""Reactions that tell the client: one message and one notification for each thing that happened to their money."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.clients.messages import mail_client, notify_client, page
from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.events import WhenDead, reacts_to
from apps.core.mail import MailKind
from apps.core.notifications import Kind
from apps.payments import messages
from apps.payments.enums import WithdrawalState
from apps.payments.events import (
    DepositCredited,
    PayoutDestinationAdded,
    WithdrawalApproved,
    WithdrawalReleased,
    WithdrawalRequested,
    WithdrawalSettled,
)
from apps.payments.models import Deposit, PaymentInstrument, Withdrawal

SYSTEM = Actor.system("payments")
LET_PASS = WhenDead.LET_PASS

# What a client reads of the ways in which a withdrawal can end without being paid.
OUTCOMES: dict[str, Any] = {
    WithdrawalState.REJECTED: _("refused"),
    WithdrawalState.CANCELED: _("cancelled"),
    WithdrawalState.FAILED: _("the bank did not take it"),
    WithdrawalState.RETURNED: _("the bank sent it back"),
}


def _mail_withdrawal(kind: MailKind, withdrawal_id: UUID, **more: Any) -> None:
    row = Withdrawal.objects.select_related("destination").get(pk=withdrawal_id)
    values = {
        "number": row.short_id,
        "amount": row.amount,
        "link": page("portal:payments-withdrawal-detail", row.pk),
        **more,
    }
    if kind is messages.WITHDRAWAL_PAID:
        values["destination"] = row.destination.masked
    mail_client(kind, client_id=row.client_id, values=values)


@reacts_to(DepositCredited, atomic=False, when_dead=LET_PASS)
def mail_deposit_credited(event: DepositCredited) -> None:
    row = Deposit.objects.get(pk=event.deposit_id)
    values = {
        "number": row.short_id,
        "amount": f"{event.amount:,.2f} {event.currency}",
        "link": page("portal:payments-deposit-detail", row.pk),
    }
    mail_client(messages.DEPOSIT_CREDITED, client_id=event.client_id, values=values)


@reacts_to(WithdrawalRequested, atomic=False, when_dead=LET_PASS)
def mail_withdrawal_requested(event: WithdrawalRequested) -> None:
    _mail_withdrawal(messages.WITHDRAWAL_REQUESTED, event.withdrawal_id)


@reacts_to(WithdrawalApproved, atomic=False, when_dead=LET_PASS)
def mail_withdrawal_approved(event: WithdrawalApproved) -> None:
    _mail_withdrawal(messages.WITHDRAWAL_APPROVED, event.withdrawal_id)


@reacts_to(WithdrawalReleased, atomic=False, when_dead=LET_PASS)
def mail_withdrawal_released(event: WithdrawalReleased) -> None:
    """In the words for clients; what staff wrote to each other stays inside."""
    language = Client.objects.values_list("language", flat=True).get(pk=event.client_id)
    with translation.override(language):
        outcome = str(OUTCOMES.get(event.outcome, _("it could not be carried out")))
    _mail_withdrawal(messages.WITHDRAWAL_RELEASED, event.withdrawal_id, outcome=outcome)


@reacts_to(WithdrawalSettled, atomic=False, when_dead=LET_PASS)
def mail_withdrawal_paid(event: WithdrawalSettled) -> None:
    _mail_withdrawal(messages.WITHDRAWAL_PAID, event.withdrawal_id)


@reacts_to(PayoutDestinationAdded, atomic=False, when_dead=LET_PASS)
def mail_destination_added(event: PayoutDestinationAdded) -> None:
    masked = PaymentInstrument.objects.values_list("masked", flat=True).get(pk=event.instrument_id)
    values = {"destination": masked, "link": page("portal:clients-password-reset")}
    mail_client(messages.DESTINATION_ADDED, client_id=event.client_id, values=values)


def _notify(client_id: UUID, kind: Kind, title: Any, url: str, key: str) -> None:
    notify_client(client_id, kind=kind, title=title, url=url, actor=SYSTEM, key=key)


@reacts_to(DepositCredited)
def notify_deposit_credited(event: DepositCredited) -> None:
    amount = f"{event.amount:,.2f} {event.currency}"
    _notify(
        event.client_id,
        messages.CREDITED,
        format_lazy(_("Your deposit of {amount} has arrived"), amount=amount),
        reverse("portal:payments-deposit-detail", args=[event.deposit_id]),
        str(event.deposit_id),
    )


@reacts_to(WithdrawalSettled)
def notify_withdrawal_paid(event: WithdrawalSettled) -> None:
    amount = f"{event.amount:,.2f} {event.currency}"
    _notify_withdrawal(
        event, format_lazy(_("Your withdrawal of {amount} is paid"), amount=amount), "paid"
    )


@reacts_to(WithdrawalReleased)
def notify_withdrawal_released(event: WithdrawalReleased) -> None:
    _notify_withdrawal(
        event, _("A withdrawal was not paid; the money is in your wallet"), "released"
    )


def _notify_withdrawal(
    event: WithdrawalSettled | WithdrawalReleased, title: Any, what: str
) -> None:
    _notify(
        event.client_id,
        messages.PAID,
        title,
        reverse("portal:payments-withdrawal-detail", args=[event.withdrawal_id]),
        f"{what}:{event.withdrawal_id}",
    )


@reacts_to(PayoutDestinationAdded)
def notify_destination_added(event: PayoutDestinationAdded) -> None:
    _notify(
        event.client_id,
        messages.DESTINATION,
        _("A bank account was added for your payouts"),
        reverse("portal:payments-withdraw"),
        str(event.instrument_id),
    )
