"""Money leaving the house: sent once, and what is not known is asked about, never sent again."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves, require_none_open
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.events import emit
from apps.core.models import Approval
from apps.ledger.enums import AccountKind, Phase
from apps.ledger.models import Account
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.payments.adapters import adapter_for
from apps.payments.adapters.protocol import ProviderPayout
from apps.payments.enums import ReceiptOutcome, WithdrawalState
from apps.payments.errors import ProviderSaysNo, ProviderSilent
from apps.payments.events import WithdrawalSettled
from apps.payments.locks import withdrawal_locked
from apps.payments.models import Withdrawal
from apps.payments.permissions import RESOLVE_PAYOUT
from apps.payments.selectors import payouts_to_ask, wallet_account
from apps.payments.services.receipts import PSP, Answer, outcome_write
from apps.payments.services.suspense import clearing_account
from apps.payments.services.withdrawals import withdrawal_release, withdrawal_released

log = logging.getLogger(__name__)

S = WithdrawalState
RELEASE = "payments.payout_release"
ASK_AFTER = timedelta(seconds=20)
ASSISTANCE_AFTER = timedelta(minutes=15)
_SENDABLE = (S.SUBMITTED, S.UNKNOWN, S.ASSISTANCE)


def withdrawal_submit(*, withdrawal_id: UUID) -> Withdrawal:
    """Hand an approved withdrawal to its provider; sent once however often this is called.

    Talks to the provider, so call it outside any transaction. No answer leaves it UNKNOWN; a repeat asks by
    reference instead of sending.
    """
    if not withdrawal_take(withdrawal_id=withdrawal_id):
        return withdrawal_ask(withdrawal_id=withdrawal_id)
    withdrawal = Withdrawal.objects.select_related("destination", "provider").get(pk=withdrawal_id)
    try:
        seen = adapter_for(withdrawal.provider.code).payout_create(
            reference=withdrawal.reference,
            amount=withdrawal.net,
            method=withdrawal.method,
            destination=withdrawal.destination.details,
            holder=withdrawal.destination.holder_name,
        )
    except ProviderSilent as error:
        return withdrawal_lost(withdrawal_id=withdrawal_id, problem=str(error))
    except ProviderSaysNo as refusal:
        return withdrawal_refused(withdrawal_id=withdrawal_id, problem=str(refusal))
    payout_apply(provider_code=withdrawal.provider.code, seen=seen, receipt_id=None)
    return Withdrawal.objects.get(pk=withdrawal_id)


def withdrawal_ask(*, withdrawal_id: UUID) -> Withdrawal:
    """Ask the provider what became of a payout and apply it; does nothing to one that is not under way."""
    withdrawal = Withdrawal.objects.select_related("provider").get(pk=withdrawal_id)
    if withdrawal.state not in (*_SENDABLE, S.SENT):
        return withdrawal
    withdrawal_asked(withdrawal_id=withdrawal_id)
    adapter = adapter_for(withdrawal.provider.code)
    if withdrawal.provider_payout_id:
        seen: ProviderPayout | None = adapter.payout_get(payout_id=withdrawal.provider_payout_id)
    else:
        seen = adapter.payout_find(reference=withdrawal.reference)
    if seen is not None:
        payout_apply(provider_code=withdrawal.provider.code, seen=seen, receipt_id=None)
        return Withdrawal.objects.get(pk=withdrawal_id)
    return withdrawal_missing(withdrawal_id=withdrawal_id)


def payouts_ask() -> int:
    """Ask about every payout that is under way and was not asked about lately. Returns how many were asked.

    One that cannot be asked about is reported and keeps no other waiting.
    """
    asked = 0
    due = payouts_to_ask(clock.now() - ASK_AFTER).order_by("pk").values_list("pk", flat=True)[:100]
    for withdrawal_id in list(due):
        try:
            withdrawal_ask(withdrawal_id=withdrawal_id)
        except (ProviderSilent, ProviderSaysNo):
            continue
        except Exception:
            log.exception(
                "a payout cannot be asked about", extra={"withdrawal": str(withdrawal_id)}
            )
            continue
        asked += 1
    return asked


@command
def withdrawal_take(*, withdrawal_id: UUID) -> bool:
    """Written before anything leaves: True for the one call that may send."""
    withdrawal = withdrawal_locked(withdrawal_id, visible_to=PSP)
    if withdrawal.state != S.APPROVED:
        return False
    withdrawal.submit(by=PSP, reason="to the provider")
    withdrawal.save_as(PSP, "to the provider", action="withdrawal.submit")
    return True


@command
def withdrawal_asked(*, withdrawal_id: UUID) -> None:
    Withdrawal.objects.filter(pk=withdrawal_id).update(asked_at=clock.now())


@command
def withdrawal_lost(*, withdrawal_id: UUID, problem: str) -> Withdrawal:
    """No answer: it may have happened."""
    withdrawal = withdrawal_locked(withdrawal_id, visible_to=PSP)
    if withdrawal.state == S.SUBMITTED:
        withdrawal.lose(by=PSP, reason=problem)
        withdrawal.save_as(PSP, problem, action="withdrawal.lose")
    return withdrawal


@command
def withdrawal_missing(*, withdrawal_id: UUID) -> Withdrawal:
    """The provider does not know it. That proves nothing at once; after a while a person asks the provider."""
    withdrawal = withdrawal_locked(withdrawal_id, visible_to=PSP)
    submitted_at = withdrawal.submitted_at
    late = submitted_at is not None and submitted_at < clock.now() - ASSISTANCE_AFTER
    if withdrawal.state in (S.SUBMITTED, S.UNKNOWN) and late:
        withdrawal.ask_assistance(by=PSP, reason="the provider does not know it")
        withdrawal.save_as(PSP, "the provider does not know it", action="withdrawal.assistance")
    return withdrawal


@command
def withdrawal_refused(*, withdrawal_id: UUID, problem: str) -> Withdrawal:
    """A definite no: nothing left."""
    withdrawal = withdrawal_locked(withdrawal_id, visible_to=PSP)
    if withdrawal.state in _SENDABLE:
        _failed(withdrawal, PSP, problem)
    return withdrawal


@command
def payout_resolve(*, withdrawal_id: UUID, actor: Actor, reason: str) -> Approval:
    """A person has the provider's word that it never had this payout: ask somebody else to free the money.

    Raises `NotVisible`, `NotAllowed`, `WrongState`, `AlreadyAsked`.
    """
    withdrawal = withdrawal_locked(withdrawal_id, visible_to=actor)
    actor.require(RESOLVE_PAYOUT, withdrawal)
    if withdrawal.state != S.ASSISTANCE:
        raise WrongState(state=withdrawal.get_state_display(), command="releasing it")
    require_none_open(RELEASE, withdrawal)
    client = withdrawal.client
    return approval_request(
        action=RELEASE,
        title=_("Give %(amount)s back to %(client)s: the provider never had it")
        % {"amount": withdrawal.amount, "client": client.number},
        payload={
            "withdrawal_id": str(withdrawal.pk),
            "amount_minor": int(withdrawal.amount_minor),
            "currency": withdrawal.currency,
        },
        diff=[
            ("state", _("Payout"), withdrawal.get_state_display(), S.FAILED.label),
            ("wallet", _("In the wallet again"), None, str(withdrawal.amount)),
        ],
        permission=RESOLVE_PAYOUT,
        actor=actor,
        reason=reason,
        subject=withdrawal,
        entity=client.entity.code,
        desk_id=client.desk_id,
        client_id=client.pk,
        amount=withdrawal.amount,
        beneficiary_ids=[client.pk],
    )


def _release_base(approval: Approval) -> dict[str, str]:
    withdrawal = Withdrawal.objects.get(pk=approval.payload["withdrawal_id"])
    return {"state": str(withdrawal.state)}


@approves(RELEASE, base=_release_base)
def _released(approval: Approval, *, actor: Actor) -> None:
    withdrawal = withdrawal_locked(UUID(approval.payload["withdrawal_id"]), visible_to=actor)
    if withdrawal.state != S.ASSISTANCE:
        raise WrongState(state=withdrawal.get_state_display(), command="releasing it")
    _failed(withdrawal, actor, approval.reason)


def _failed(withdrawal: Withdrawal, actor: Actor, reason: str) -> None:
    withdrawal.fail(by=actor, reason=reason)
    withdrawal.save_as(actor, reason, action="withdrawal.fail")
    withdrawal_release(withdrawal, actor=actor)


@command
def payout_apply(
    *, provider_code: str, seen: ProviderPayout, receipt_id: UUID | None
) -> ReceiptOutcome:
    """Bring a withdrawal to what the provider says of its payout. Messages late, twice or disordered change nothing."""
    answer, subject = _applied(provider_code, seen)
    outcome_write(receipt_id, answer, subject)
    return answer[0]


def _applied(provider_code: str, seen: ProviderPayout) -> tuple[Answer, UUID | None]:
    kind, _, identity = seen.reference.partition(":")
    found = (
        Withdrawal.objects.filter(pk=identity, provider__code=provider_code).exists()
        if kind == "withdrawal"
        else False
    )
    if not found:
        return (ReceiptOutcome.IGNORED, "a payout that is not ours"), None
    withdrawal = withdrawal_locked(UUID(identity), visible_to=PSP)
    if seen.amount != withdrawal.net:
        detail = f"{seen.amount} was paid out, {withdrawal.net} was asked for"
        if withdrawal.state in (S.SUBMITTED, S.UNKNOWN):
            withdrawal.ask_assistance(by=PSP, reason=detail)
            withdrawal.save_as(PSP, detail, action="withdrawal.assistance")
        return (ReceiptOutcome.CONFLICTED, detail), withdrawal.pk
    if problem := _contradiction(withdrawal, seen):
        if withdrawal.why != problem:
            withdrawal.why = problem
            withdrawal.save_as(PSP, problem, action="withdrawal.conflict")
        return (ReceiptOutcome.CONFLICTED, problem), withdrawal.pk
    moved = _follow(withdrawal, seen)
    outcome = ReceiptOutcome.APPLIED if moved else ReceiptOutcome.NO_CHANGE
    return (outcome, seen.status), withdrawal.pk


def _contradiction(withdrawal: Withdrawal, seen: ProviderPayout) -> str:
    """Money that left although the books say that it did not, or left twice. Nothing is booked: a person decides."""
    if seen.status != "paid":
        return ""
    if withdrawal.outcome and withdrawal.outcome not in (S.SETTLED, S.RETURNED):
        return f"paid out as {seen.id} after the money had been given back to the client"
    known = withdrawal.provider_payout_id
    if withdrawal.outcome and known and known != seen.id:
        return f"paid out a second time as {seen.id}, after {known}"
    return ""


def _follow(withdrawal: Withdrawal, seen: ProviderPayout) -> bool:
    state = withdrawal.state
    if state in _SENDABLE:
        withdrawal.provider_payout_id = seen.id
    if seen.status == "processing" and state in _SENDABLE:
        withdrawal.send(by=PSP, reason="the provider has it")
        withdrawal.save_as(PSP, "the provider has it", action="withdrawal.send")
    elif seen.status == "paid" and state in (*_SENDABLE, S.SENT):
        _settled(withdrawal)
    elif seen.status == "failed" and state in (*_SENDABLE, S.SENT):
        _failed(withdrawal, PSP, seen.problem or "the provider could not pay it out")
    elif seen.status == "returned" and state in (*_SENDABLE, S.SENT, S.SETTLED):
        _returned(withdrawal, seen.problem or "the bank sent it back")
    else:
        return False
    return True


def _settled(withdrawal: Withdrawal) -> None:
    """The hold becomes final, and what the provider holds for the house is less by what it paid."""
    hold = withdrawal.hold
    assert hold is not None
    clearing = _clearing(withdrawal)
    legs = [
        Leg(hold.debit, hold.credit, withdrawal.amount, phase=Phase.POST, pending=hold),
        Leg(hold.credit, clearing, withdrawal.net),
    ]
    if withdrawal.fee:
        fees = account_for(AccountKind.INCOME_FEES, withdrawal.currency)
        legs.append(Leg(hold.credit, fees, withdrawal.fee))
    post(
        kind="withdrawal.settle",
        key=f"withdrawal:{withdrawal.pk}:settle",
        legs=legs,
        actor=PSP,
        reason="paid out by the provider",
    )
    withdrawal.settle(by=PSP, reason="paid out by the provider")
    withdrawal.save_as(PSP, "paid out by the provider", action="withdrawal.settle")
    emit(
        WithdrawalSettled(
            withdrawal_id=withdrawal.pk,
            client_id=withdrawal.client_id,
            amount=withdrawal.amount.amount,
            currency=withdrawal.currency,
            method=withdrawal.method,
        )
    )


def _returned(withdrawal: Withdrawal, reason: str) -> None:
    """What the bank sent back is the client's again: the hold ends, or what was paid comes back into the wallet."""
    if withdrawal.state in _SENDABLE:
        withdrawal.send(by=PSP, reason="the provider had it")
    was_paid = withdrawal.state == S.SETTLED
    withdrawal.give_back(by=PSP, reason=reason)
    withdrawal.save_as(PSP, reason, action="withdrawal.return")
    if not was_paid:
        withdrawal_release(withdrawal, actor=PSP)
        return
    wallet = wallet_account(withdrawal.client_id, withdrawal.currency)
    post(
        kind="withdrawal.return",
        key=f"withdrawal:{withdrawal.pk}:return",
        legs=[Leg(_clearing(withdrawal), wallet, withdrawal.net)],
        actor=PSP,
        reason=reason,
    )
    withdrawal_released(withdrawal, actor=PSP)


def _clearing(withdrawal: Withdrawal) -> Account:
    return clearing_account(withdrawal.provider, withdrawal.currency, withdrawal.pk)
