"""How a deposit's money moves in the books. Building blocks for commands; each is one entry under one key."""

from __future__ import annotations

from apps.core import clock
from apps.core.actor import Actor
from apps.core.events import emit
from apps.ledger.enums import AccountKind
from apps.ledger.models import Account
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.payments.adapters.protocol import InstrumentSeen, SettlementSeen
from apps.payments.enums import AttemptState, CreditState, SettlementState
from apps.payments.events import DepositCredited, DepositUnderReview
from apps.payments.models import (
    Deposit,
    DepositAttempt,
    DepositSettlement,
    PaymentInstrument,
    PaymentProvider,
)
from apps.payments.routing import name_matches
from apps.payments.selectors import deposits_arrived, wallet_account
from apps.payments.services.gates import accept_decision
from apps.payments.services.suspense import clearing_account


def review_account(deposit: Deposit) -> Account:
    """Where a deposit's money stands while a person decides."""
    return account_for(AccountKind.SUSPENSE_UNALLOCATED, deposit.currency, f"deposit:{deposit.pk}")


def charged_by(deposit: Deposit) -> PaymentProvider:
    """The provider that holds this deposit's money."""
    return deposit.attempts.select_related("provider").get(state=AttemptState.CHARGED).provider


def deposit_arrived(
    deposit: Deposit, attempt: DepositAttempt, seen: InstrumentSeen | None, *, actor: Actor
) -> None:
    """The provider has the money: ask the rules whether it reaches the wallet now or waits for a person."""
    if seen is not None:
        deposit.instrument = instrument_remember(deposit, seen, actor=actor)
        deposit.payer_matches = deposit.instrument.holder_matches
    decision = accept_decision(
        deposit.client,
        method=deposit.method,
        amount=deposit.amount,
        payer_matches=deposit.payer_matches,
        subject=deposit,
        actor=actor,
    )
    deposit.decision_id = decision.decision_id
    if decision.allowed and decision.obligations["auto_credit"]:
        deposit_credit(deposit, actor=actor, reason="the rules credit it at once")
        return
    why = " ".join(str(reason.text) for reason in decision.reasons) or "the rules want a person"
    post(
        kind="deposit.receive",
        key=f"deposit:{deposit.pk}:receive",
        legs=[
            Leg(
                clearing_account(attempt.provider, deposit.currency, deposit.pk),
                review_account(deposit),
                deposit.amount,
            )
        ],
        actor=actor,
        reason=why,
    )
    deposit.review(by=actor, reason=why)
    deposit.save_as(actor, why, action="deposit.review")
    emit(DepositUnderReview(deposit_id=deposit.pk, client_id=deposit.client_id))


def deposit_credit(deposit: Deposit, *, actor: Actor, reason: str) -> None:
    """Into the wallet, less the fee that was quoted: exactly once, whatever comes twice."""
    reviewed = deposit.credit == CreditState.UNDER_REVIEW
    source = (
        review_account(deposit)
        if reviewed
        else clearing_account(charged_by(deposit), deposit.currency, deposit.pk)
    )
    legs = [Leg(source, wallet_account(deposit.client_id, deposit.currency), deposit.net)]
    if deposit.fee:
        fees = account_for(AccountKind.INCOME_FEES, deposit.currency)
        legs.append(Leg(source, fees, deposit.fee))
    post(
        kind="deposit.credit",
        key=f"deposit:{deposit.pk}:credit",
        legs=legs,
        actor=actor,
        reason=reason,
    )
    deposit.first_deposit = not deposits_arrived(deposit.client_id).exists()
    deposit.credit_wallet(by=actor, reason=reason)
    deposit.save_as(actor, reason, action="deposit.credit")
    emit(
        DepositCredited(
            deposit_id=deposit.pk,
            client_id=deposit.client_id,
            amount=deposit.net.amount,
            currency=deposit.currency,
            method=deposit.method,
            first_deposit=deposit.first_deposit,
        )
    )


def deposit_refunded(deposit: Deposit, *, actor: Actor) -> None:
    """Back to where it came from."""
    clearing = clearing_account(charged_by(deposit), deposit.currency, deposit.pk)
    post(
        kind="deposit.return",
        key=f"deposit:{deposit.pk}:return",
        legs=[Leg(review_account(deposit), clearing, deposit.amount)],
        actor=actor,
        reason=deposit.why,
    )
    deposit.give_back(by=actor, reason="refunded by the provider")
    deposit.save_as(actor, "refunded by the provider", action="deposit.returned")


def deposit_settle(
    deposit: Deposit, provider: PaymentProvider, seen: SettlementSeen, *, actor: Actor
) -> bool:
    """The provider paid the house's bank: clearing becomes bank money and the provider's fee. False when known."""
    if deposit.settlement != SettlementState.UNSETTLED or seen.gross != deposit.amount:
        return False
    clearing = clearing_account(provider, deposit.currency, deposit.pk)
    bank = account_for(AccountKind.BANK_CLIENT_MONEY, deposit.currency)
    legs = [Leg(bank, clearing, seen.gross - seen.fee)]
    if seen.fee:
        fees = account_for(AccountKind.PSP_FEES, deposit.currency, provider.ledger_owner)
        legs.append(Leg(fees, clearing, seen.fee))
    entry = post(
        kind="deposit.settle",
        key=f"deposit:{deposit.pk}:settle",
        legs=legs,
        actor=actor,
        reason=seen.reference,
    )
    DepositSettlement.objects.create(
        deposit=deposit,
        provider=provider,
        reference=seen.reference,
        gross_minor=seen.gross.minor,
        fee_minor=seen.fee.minor,
        entry_id=entry.pk,
        settled_at=clock.now(),
    )
    deposit.settle(by=actor, reason=seen.reference)
    deposit.save_as(actor, f"settled under {seen.reference}", action="deposit.settle")
    return True


def instrument_remember(
    deposit: Deposit, seen: InstrumentSeen, *, actor: Actor
) -> PaymentInstrument:
    """Keep what the client paid with, as the place where money may go back to."""
    instrument = PaymentInstrument.objects.filter(
        client_id=deposit.client_id, method=deposit.method, fingerprint=seen.fingerprint
    ).first()
    if instrument is None:
        instrument = PaymentInstrument(
            client=deposit.client,
            method=deposit.method,
            fingerprint=seen.fingerprint,
            masked=seen.masked[:80],
            details=seen.token,
            holder_name=seen.holder[:160],
            holder_matches=name_matches(seen.holder, deposit.client.person.full_name),
        )
    if instrument.first_paid_at is None:
        instrument.first_paid_at = clock.now()
        instrument.save_as(actor, "paid a deposit", action="instrument.seen")
    return instrument
