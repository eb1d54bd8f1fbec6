"""What a provider says of a payment, applied: only a higher rank is news, and money is booked once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.core.commands import command
from apps.payments.adapters.protocol import ProviderPayment
from apps.payments.enums import (
    ATTEMPT_OPEN,
    AttemptState,
    PaymentState,
    ReceiptOutcome,
    SettlementState,
    SuspenseKind,
)
from apps.payments.locks import deposit_locked
from apps.payments.models import Deposit, DepositAttempt, PaymentProvider
from apps.payments.routing import RANKS, advances
from apps.payments.services.crediting import deposit_arrived, deposit_settle
from apps.payments.services.receipts import PSP, Answer, outcome_write
from apps.payments.services.suspense import received, suspense_open


@command
def payment_apply(
    *, provider_code: str, seen: ProviderPayment, receipt_id: UUID | None
) -> ReceiptOutcome:
    """Bring a deposit to what the provider says of its payment. Only a higher rank is news; money is booked once."""
    attempt = (
        DepositAttempt.objects.select_related("provider")
        .filter(provider__code=provider_code, reference=seen.reference)
        .first()
    )
    if attempt is None:
        answer, subject = _unmatched(provider_code, seen)
    else:
        deposit = deposit_locked(attempt.deposit_id, visible_to=PSP)
        attempt = deposit.attempts.select_related("provider").get(pk=attempt.pk)
        answer, subject = _moved(deposit, attempt, seen), deposit.pk
    outcome_write(receipt_id, answer, subject)
    return answer[0]


def _unmatched(provider_code: str, seen: ProviderPayment) -> tuple[Answer, UUID | None]:
    if seen.status != "succeeded":
        return (ReceiptOutcome.IGNORED, _("a payment that is not ours and was not paid")), None
    provider = PaymentProvider.objects.get(code=provider_code)
    detail = _(
        "The provider holds %(amount)s under reference %(reference)s, which is not ours."
    ) % {
        "amount": seen.amount,
        "reference": seen.reference,
    }
    item = suspense_open(
        provider=provider,
        seen=seen,
        kind=SuspenseKind.UNMATCHED,
        detail=detail,
        deposit=None,
        actor=PSP,
    )
    return (ReceiptOutcome.UNMATCHED, detail), item.pk


def _moved(deposit: Deposit, attempt: DepositAttempt, seen: ProviderPayment) -> Answer:
    settled = False
    if advances(attempt.provider_status, seen.status, RANKS):
        answer = _advanced(deposit, attempt, seen)
    else:
        known = attempt.provider_status == seen.status
        answer = (ReceiptOutcome.NO_CHANGE if known else ReceiptOutcome.STALE, seen.status)
    if seen.settlement is not None and deposit.payment == PaymentState.SUCCEEDED:
        settled = deposit_settle(deposit, attempt.provider, seen.settlement, actor=PSP)
    return (ReceiptOutcome.APPLIED, SettlementState.SETTLED.label) if settled else answer  # type: ignore[return-value]


def _advanced(deposit: Deposit, attempt: DepositAttempt, seen: ProviderPayment) -> Answer:
    attempt.provider_status = seen.status
    attempt.provider_payment_id = seen.id
    attempt.hosted_url = seen.hosted_url
    attempt.reported_minor = seen.amount.minor
    attempt.reported_currency = seen.amount.currency
    if attempt.state in (AttemptState.STARTED, AttemptState.UNKNOWN):
        attempt.accept(by=PSP, reason=seen.status)
    if seen.status == "succeeded":
        attempt.charge(by=PSP, reason=seen.status)
        attempt.save_as(PSP, seen.status, action="deposit_attempt.charge")
        return _paid(deposit, attempt, seen)
    if seen.status in ("failed", "canceled", "expired") and attempt.state in ATTEMPT_OPEN:
        attempt.fail(by=PSP, reason=seen.problem or seen.status)
    attempt.save_as(PSP, seen.status, action="deposit_attempt.move")
    _follow(deposit, seen)
    return ReceiptOutcome.APPLIED, seen.status


def _follow(deposit: Deposit, seen: ProviderPayment) -> None:
    """The intent follows its attempt while it is open; what is final stays final."""
    moves: dict[str, tuple[Any, tuple[str, ...]]] = {
        "requires_action": (deposit.await_payment, (PaymentState.CREATED,)),
        "processing": (deposit.process, (PaymentState.CREATED, PaymentState.REQUIRES_ACTION)),
        "failed": (deposit.fail, (deposit.payment,) if deposit.is_open else ()),
        "canceled": (deposit.cancel, (deposit.payment,) if deposit.is_open else ()),
        "expired": (deposit.expire, (deposit.payment,) if deposit.is_open else ()),
    }
    move, sources = moves.get(seen.status, (None, ()))
    if move is not None and deposit.payment in sources:
        reason = seen.problem or seen.status
        move(by=PSP, reason=reason)
        deposit.save_as(PSP, reason, action=f"deposit.{seen.status}")


def _paid(deposit: Deposit, attempt: DepositAttempt, seen: ProviderPayment) -> Answer:
    differs = received(seen.amount, deposit.amount)
    if differs is None and deposit.payment in (PaymentState.FAILED, PaymentState.CANCELED):
        differs = (
            SuspenseKind.CLOSED,
            _("It was paid after it had ended as %(state)s.")
            % {"state": deposit.get_payment_display()},
        )
    if differs is not None:
        return _conflicted(deposit, attempt, seen, *differs)
    deposit.succeed(by=PSP, reason="the provider confirms it")
    deposit_arrived(deposit, attempt, seen.instrument, actor=PSP)
    return ReceiptOutcome.APPLIED, deposit.get_credit_display()


def _conflicted(
    deposit: Deposit,
    attempt: DepositAttempt,
    seen: ProviderPayment,
    kind: SuspenseKind,
    detail: str,
) -> Answer:
    """Nothing is credited: the money stands in suspense until two people have decided."""
    suspense_open(
        provider=attempt.provider, seen=seen, kind=kind, detail=detail, deposit=deposit, actor=PSP
    )
    deposit.conflict(by=PSP, reason=detail)
    deposit.suspend(by=PSP, reason=detail)
    deposit.save_as(PSP, detail, action="deposit.conflict")
    return ReceiptOutcome.CONFLICTED, detail
