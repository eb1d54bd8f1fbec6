"""What happened to a payment so far and what comes next, in a client's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.payments.enums import (
    CreditState,
    Direction,
    PaymentState,
    TransferState,
    WithdrawalState,
)
from apps.payments.models import Deposit, Transfer, Withdrawal

Step = dict[str, Any]
W = WithdrawalState
_BEFORE_APPROVAL = (W.REQUESTED, W.FUNDS_HELD, W.CHECKS, W.PENDING_APPROVAL)
_WITH_PROVIDER = (W.SUBMITTED, W.SENT, W.UNKNOWN, W.ASSISTANCE)


def _step(title: str, state: str, at: datetime | None = None, text: str = "") -> Step:
    return {"title": title, "state": state, "at": at, "text": text}


def deposit_story(deposit: Deposit) -> list[Step]:
    """Asked for, paid, credited: each step with its time, the present one marked."""
    asked = _step(_("You asked to deposit"), "done", deposit.created_at)
    if deposit.payment in (PaymentState.FAILED, PaymentState.CANCELED, PaymentState.EXPIRED):
        words = {
            PaymentState.FAILED: _("The payment did not go through"),
            PaymentState.CANCELED: _("The payment was canceled"),
            PaymentState.EXPIRED: _("The payment page ran out"),
        }
        text = _("Nothing was charged. You can try again or choose another method.")
        return [asked, _step(words[PaymentState(deposit.payment)], "bad", deposit.updated_at, text)]
    if deposit.is_open:
        now = _("Waiting for your payment")
        if deposit.payment == PaymentState.PROCESSING:
            now = _("The provider is processing your payment")
        return [asked, _step(now, "current"), _step(_("In your wallet"), "next")]
    paid = _step(_("Payment received"), "done", deposit.paid_at)
    return [asked, paid, *_after_payment(deposit)]


def _after_payment(deposit: Deposit) -> list[Step]:
    match deposit.credit:
        case CreditState.CREDITED:
            return [_step(_("In your wallet"), "done", deposit.credited_at)]
        case CreditState.UNDER_REVIEW:
            text = _("We look at every deposit of this kind. It usually takes a few hours.")
            return [
                _step(_("Under review"), "current", None, text),
                _step(_("In your wallet"), "next"),
            ]
        case CreditState.REJECTED_RETURN:
            return [_step(_("Going back to where it came from"), "current", deposit.updated_at)]
        case CreditState.RETURNED:
            return [_step(_("Returned to where it came from"), "bad", deposit.updated_at)]
        case CreditState.UNMATCHED:
            text = _("What came is not what was asked for. We clear it up and write to you.")
            return [_step(_("Being clarified"), "current", None, text)]
    return [_step(_("In your wallet"), "current")]


def withdrawal_story(withdrawal: Withdrawal) -> list[Step]:
    """The truth about money on its way out: what is done, what is being done, and how it ended."""
    steps = [
        _step(_("You asked for it and the money was set aside"), "done", withdrawal.created_at),
        _checked(withdrawal),
        _approved(withdrawal),
        _sent(withdrawal),
        _ended(withdrawal),
    ]
    return [step for step in steps if step is not None]


def _checked(withdrawal: Withdrawal) -> Step | None:
    return _step(_("Checked"), "done", withdrawal.checked_at) if withdrawal.checked_at else None


def _approved(withdrawal: Withdrawal) -> Step | None:
    if withdrawal.approved_at:
        return _step(_("Approved"), "done", withdrawal.approved_at)
    if withdrawal.state in _BEFORE_APPROVAL:
        text = _("Our finance team looks at it, on working days usually within a few hours.")
        return _step(_("Waiting for approval"), "current", None, text)
    return None


def _sent(withdrawal: Withdrawal) -> Step | None:
    if withdrawal.sent_at:
        return _step(_("Sent to the provider"), "done", withdrawal.sent_at)
    if withdrawal.state in _WITH_PROVIDER or withdrawal.state == W.APPROVED:
        text = ""
        if withdrawal.state in (W.UNKNOWN, W.ASSISTANCE):
            text = _(
                "The provider has not confirmed yet. It is asked again; nothing is sent twice."
            )
        return _step(_("Being sent"), "current", withdrawal.submitted_at, text)
    if withdrawal.outcome:
        return None
    return _step(_("Sent to the provider"), "next")


def _ended(withdrawal: Withdrawal) -> Step:
    ends = {
        W.SETTLED: (_("Paid out"), "done", ""),
        W.CANCELED: (_("You canceled it; the money is in your wallet again"), "bad", ""),
        W.REJECTED: (
            _("It was not approved; the money is in your wallet again"),
            "bad",
            withdrawal.why,
        ),
        W.FAILED: (_("It could not be paid out; the money is in your wallet again"), "bad", ""),
        W.RETURNED: (_("The bank sent it back; it is in your wallet again"), "bad", ""),
    }
    if not withdrawal.outcome:
        return _step(_("Paid out"), "current" if withdrawal.state == W.SENT else "next")
    title, state, text = ends[W(withdrawal.outcome)]
    return _step(title, state, withdrawal.ended_at, text)


def transfer_story(transfer: Transfer) -> list[Step]:
    """From where to where, and how far it is."""
    inward = transfer.direction == Direction.TO_ACCOUNT
    left = _("Taken from your wallet") if inward else _("Taken from your trading account")
    there = _("On your trading account") if inward else _("In your wallet")
    asked = _step(_("You asked for it"), "done", transfer.created_at)
    match transfer.state:
        case TransferState.COMPENSATED:
            return [
                asked,
                _step(
                    _("Not carried out; nothing moved"), "bad", transfer.finished_at, transfer.why
                ),
            ]
        case TransferState.DEST_CREDITED:
            done = _step(there, "done", transfer.finished_at)
            return [asked, _step(left, "done", transfer.created_at), done]
        case TransferState.REQUESTED:
            return [asked, _step(left, "current"), _step(there, "next")]
    text = _("The platform has not confirmed yet. It is asked again; nothing is done twice.")
    waiting = _step(there, "current", None, text if transfer.attempts else "")
    return [asked, _step(left, "done", transfer.created_at), waiting]
