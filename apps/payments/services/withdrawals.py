"""Money going out, until it leaves: held at once, checked in the open, approved by as many people as the rules say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.clients.locks import client_locked
from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.approvals import (
    approval_cancel,
    approval_locked,
    approval_request,
    approval_vote,
    approves,
)
from apps.core.commands import command, keep_if_refused
from apps.core.errors import Conflict, NotVisible, WrongState
from apps.core.events import emit
from apps.core.models import Approval, ApprovalVote
from apps.core.money import Money
from apps.ledger.enums import AccountKind, Phase
from apps.ledger.errors import InsufficientFunds
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, hold_void, post
from apps.payments.enums import CheckResult, WithdrawalState
from apps.payments.errors import (
    AmountAboveMaximum,
    AmountBelowMinimum,
    ChecksFailed,
    DestinationUnknown,
    MethodNotOffered,
    NotCancelable,
    WalletTooLow,
)
from apps.payments.events import WithdrawalApproved, WithdrawalReleased, WithdrawalRequested
from apps.payments.locks import withdrawal_locked
from apps.payments.models import (
    PaymentInstrument,
    PaymentMethod,
    Withdrawal,
    WithdrawalCheck,
)
from apps.payments.permissions import (
    APPROVE_WITHDRAWAL,
    REJECT_WITHDRAWAL,
    REQUEST_WITHDRAWAL,
)
from apps.payments.routing import fee_minor
from apps.payments.selectors import base_minor, methods_for, wallet_account
from apps.payments.services.checks import checks_run, failing, in_words
from apps.payments.services.gates import withdrawal_decision
from apps.rules.services import Decision

APPROVAL = "payments.withdrawal"
S = WithdrawalState


@command
def withdrawal_request(
    *, client_id: UUID, amount: Money, destination_id: UUID, request_key: str, actor: Actor
) -> Withdrawal:
    """Hold the money, run the check list, and either approve by rule or put it before people.

    The same `request_key` with the same content is the same withdrawal, so a double click asks once. Raises
    `NotVisible`, `NotAllowed`, `DestinationUnknown`, `MethodNotOffered`, `AmountBelowMinimum`, `AmountAboveMaximum`,
    `WalletTooLow`, `ChecksFailed`, `RefusedByRule`, `Conflict`; then nothing is held.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(REQUEST_WITHDRAWAL, client)
    known = Withdrawal.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.amount, known.destination_id) != (amount, destination_id):
            raise Conflict
        return known
    destination = PaymentInstrument.objects.filter(client=client, pk=destination_id).first()
    if destination is None:
        raise DestinationUnknown
    method = _method(client, destination, amount)
    withdrawal = Withdrawal(
        client=client,
        method=destination.method,
        provider=method.provider,
        destination=destination,
        currency=amount.currency,
        amount_minor=amount.minor,
        fee_minor=fee_minor(
            amount.minor, method.payout_fee_percent, int(method.payout_fee_fixed_minor)
        ),
        request_key=request_key,
        requested_by=actor.id,
    )
    withdrawal.save_as(actor, "withdrawal asked for", action="withdrawal.request")
    _hold(withdrawal, actor)
    _check_and_route(withdrawal, actor)
    emit(WithdrawalRequested(withdrawal_id=withdrawal.pk, client_id=client.pk))
    return withdrawal


def _method(client: Client, destination: PaymentInstrument, amount: Money) -> PaymentMethod:
    for row in methods_for(client, payouts=True):
        if (row.method, row.currency) == (destination.method, amount.currency):
            if amount < row.payout_min:
                raise AmountBelowMinimum(minimum=row.payout_min)
            if amount > row.payout_max:
                raise AmountAboveMaximum(maximum=row.payout_max)
            return row
    raise MethodNotOffered(method=destination.get_method_display(), currency=amount.currency)


def _hold(withdrawal: Withdrawal, actor: Actor) -> None:
    wallet = wallet_account(withdrawal.client_id, withdrawal.currency)
    transit = account_for(AccountKind.WITHDRAWAL_IN_TRANSIT, withdrawal.currency)
    try:
        entry = post(
            kind="withdrawal.hold",
            key=f"withdrawal:{withdrawal.pk}:hold",
            legs=[Leg(wallet, transit, withdrawal.amount, phase=Phase.PENDING)],
            actor=actor,
        )
    except InsufficientFunds as refusal:
        raise WalletTooLow(available=refusal.values["available"]) from refusal
    withdrawal.hold = entry.transfers.get()
    withdrawal.hold_funds(by=actor, reason="money held")
    withdrawal.save_as(actor, "money held", action="withdrawal.hold")


def _check_and_route(withdrawal: Withdrawal, actor: Actor) -> None:
    rows = checks_run(withdrawal)
    if bad := failing(rows):
        raise ChecksFailed(checks=in_words(bad))
    decision = withdrawal_decision(withdrawal, actor=actor)
    decision.raise_if_refused()
    WithdrawalCheck.objects.bulk_create(rows)
    withdrawal.decision_id = decision.decision_id
    withdrawal.begin_checks(by=actor, reason="checked")
    withdrawal.save_as(actor, "check list run", action="withdrawal.check")
    looks = [row for row in rows if row.result == CheckResult.REVIEW]
    required = _people_needed(decision, looks)
    if required:
        _await_approval(withdrawal, decision, looks, required, actor)
    else:
        _approve(withdrawal, actor, "the rules need nobody for this amount")


def _people_needed(decision: Decision, looks: list[WithdrawalCheck]) -> int:
    asked = int(decision.obligations["approvals"])
    return max(asked, 1 if looks or not decision.allowed else 0)


def _await_approval(
    withdrawal: Withdrawal,
    decision: Decision,
    looks: list[WithdrawalCheck],
    required: int,
    actor: Actor,
) -> None:
    reasons = [str(reason.text) for reason in decision.reasons if reason.text]
    flagged = "\n".join(reasons + [in_words([row]) for row in looks])
    withdrawal.await_approval(by=actor, reason=flagged)
    approval = approval_request(
        action=APPROVAL,
        title=_("Withdraw %(amount)s for %(client)s to %(where)s")
        % {
            "amount": withdrawal.amount,
            "client": withdrawal.client.number,
            "where": withdrawal.destination.masked,
        },
        subject=withdrawal,
        payload={
            "withdrawal_id": str(withdrawal.pk),
            "amount_minor": int(withdrawal.amount_minor),
            "currency": withdrawal.currency,
            "destination_id": str(withdrawal.destination_id),
        },
        required=required,
        permission=APPROVE_WITHDRAWAL,
        actor=actor,
        reason=flagged,
        entity=withdrawal.client.entity.code,
        desk_id=withdrawal.client.desk_id,
        client_id=withdrawal.client_id,
        amount=withdrawal.amount,
        base_amount=Money.from_minor(
            base_minor(withdrawal.amount, withdrawal.client),
            withdrawal.client.entity.base_currency,
        ),
        risk_band=withdrawal.client.risk_rating,
        beneficiary_ids=[withdrawal.client_id],
    )
    withdrawal.approvals_required = approval.required
    withdrawal.approval_id = approval.pk
    withdrawal.save_as(actor, flagged or "waits for approval", action="withdrawal.await_approval")


def _approve(withdrawal: Withdrawal, actor: Actor, reason: str) -> None:
    withdrawal.approve(by=actor, reason=reason)
    withdrawal.save_as(actor, reason, action="withdrawal.approve")
    emit(WithdrawalApproved(withdrawal_id=withdrawal.pk, client_id=withdrawal.client_id))


def withdrawal_approve(*, withdrawal_id: UUID, actor: Actor, reason: str) -> Withdrawal:
    """One person's yes. The last one needed looks at everything again, because equity moves, and lets it go.

    Raises `NotVisible`, `NotAllowed`, `SelfApproval`, `AlreadyVoted`, `WrongState`, `ChecksFailed` (with every
    failing check), `RefusedByRule`.
    """
    return _vote(withdrawal_id, ApprovalVote.Verdict.APPROVE, actor, reason)


def withdrawal_reject(*, withdrawal_id: UUID, actor: Actor, reason: str) -> Withdrawal:
    """One person's no ends it and frees the money. Raises as `withdrawal_approve` does."""
    actor.require(REJECT_WITHDRAWAL)
    return _vote(withdrawal_id, ApprovalVote.Verdict.REJECT, actor, reason)


def _vote(withdrawal_id: UUID, verdict: str, actor: Actor, reason: str) -> Withdrawal:
    withdrawal = Withdrawal.objects.visible_to(actor).filter(pk=withdrawal_id).first()
    if withdrawal is None:
        raise NotVisible
    if withdrawal.approval_id is None:
        raise WrongState(state=_("not waiting for anybody"), command=_("a decision"))
    approval_vote(approval_id=withdrawal.approval_id, actor=actor, verdict=verdict, reason=reason)
    return Withdrawal.objects.get(pk=withdrawal_id)


def _refused(approval: Approval, *, actor: Actor) -> None:
    withdrawal = withdrawal_locked(UUID(approval.payload["withdrawal_id"]), visible_to=actor)
    vote = approval.votes.filter(verdict=ApprovalVote.Verdict.REJECT).first()
    reason = vote.reason if vote else _("nobody decided in time")
    withdrawal.reject(by=actor, reason=reason)
    withdrawal.save_as(actor, reason, action="withdrawal.reject")
    withdrawal_release(withdrawal, actor=actor)


@approves(APPROVAL, on_reject=_refused, own_queue=True)
def _agreed(approval: Approval, *, actor: Actor) -> None:
    withdrawal = withdrawal_locked(UUID(approval.payload["withdrawal_id"]), visible_to=actor)
    rows = checks_run(withdrawal)
    if bad := failing(rows):
        keep_if_refused(lambda: _keep(rows))
        raise ChecksFailed(checks=in_words(bad))
    decision = withdrawal_decision(withdrawal, actor=actor)
    decision.raise_if_refused()
    _keep(rows)
    withdrawal.decision_id = decision.decision_id
    _approve(withdrawal, actor, _("%(count)d people agreed") % {"count": approval.required})


def _keep(rows: list[WithdrawalCheck]) -> None:
    """The run is kept also when it stops the approval: it is what the next person reads."""
    WithdrawalCheck.objects.bulk_create(rows, ignore_conflicts=True)


@command
def withdrawal_cancel(*, withdrawal_id: UUID, actor: Actor, reason: str) -> Withdrawal:
    """The client changes their mind, until it is sent. Raises `NotVisible`, `NotAllowed`, `NotCancelable`.

    The approval is locked before the withdrawal, as the vote that carries it out does.
    """
    approval = approval_locked(
        Withdrawal.objects.visible_to(actor)
        .filter(pk=withdrawal_id)
        .values_list("approval_id", flat=True)
        .first()
    )
    withdrawal = withdrawal_locked(withdrawal_id, visible_to=actor)
    actor.require(REQUEST_WITHDRAWAL, withdrawal)
    if withdrawal.outcome == S.CANCELED:
        return withdrawal
    if not withdrawal.is_cancelable:
        raise NotCancelable
    if approval is not None:
        approval_cancel(approval=approval, actor=actor, reason=reason)
    withdrawal.cancel(by=actor, reason=reason)
    withdrawal.save_as(actor, reason, action="withdrawal.cancel")
    withdrawal_release(withdrawal, actor=actor)
    return withdrawal


def withdrawal_release(withdrawal: Withdrawal, *, actor: Actor) -> None:
    """Free the money in the wallet: the hold ends with what it was for. Part of the caller's command."""
    if withdrawal.hold is None:
        raise WrongState(state=withdrawal.get_state_display(), command="a release")
    hold_void(
        pending=withdrawal.hold,
        kind="withdrawal.release",
        key=f"withdrawal:{withdrawal.pk}:release",
        actor=actor,
        reason=withdrawal.why,
    )
    withdrawal_released(withdrawal, actor=actor)


def withdrawal_released(withdrawal: Withdrawal, *, actor: Actor) -> None:
    """The money is in the wallet again; say so."""
    outcome: Any = withdrawal.outcome
    withdrawal.release(by=actor, reason=withdrawal.why)
    withdrawal.save_as(actor, withdrawal.why, action="withdrawal.release")
    emit(
        WithdrawalReleased(
            withdrawal_id=withdrawal.pk, client_id=withdrawal.client_id, outcome=str(outcome)
        )
    )
