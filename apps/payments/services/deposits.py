"""Money coming in: asked for, paid at the provider, credited to the wallet or put before a person."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from apps.clients.locks import client_locked
from apps.clients.models import Client
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import Conflict, NotVisible, WrongState
from apps.core.events import emit
from apps.core.money import Money
from apps.payments.adapters import adapter_for
from apps.payments.adapters.protocol import ProviderPayment
from apps.payments.enums import ATTEMPT_OPEN, AttemptState, CreditState, Method
from apps.payments.errors import (
    AmountAboveMaximum,
    AmountBelowMinimum,
    MethodNotOffered,
    NoRoute,
    ProviderSaysNo,
    ProviderSilent,
    ProviderUnreachable,
)
from apps.payments.events import DepositCreated, DepositReturnRequested
from apps.payments.locks import deposit_locked
from apps.payments.models import Deposit, DepositAttempt, PaymentMethod, PaymentProvider
from apps.payments.permissions import DECIDE_DEPOSIT, MAKE_DEPOSIT
from apps.payments.routing import Offer, route
from apps.payments.selectors import latest_attempt, methods_for, offers_of
from apps.payments.services.crediting import deposit_credit, deposit_refunded
from apps.payments.services.gates import accept_decision, route_decision
from apps.payments.services.incoming import payment_apply
from apps.payments.services.receipts import PSP

LIFETIME = timedelta(minutes=30)


@command
def deposit_create(
    *, client_id: UUID, method: str, amount: Money, request_key: str, actor: Actor
) -> Deposit:
    """Write down that a client wants to pay in, with the fee as quoted now; nothing is sent yet.

    The same `request_key` with the same content is the same deposit. Raises `NotVisible`, `NotAllowed`,
    `RefusedByRule`, `MethodNotOffered`, `AmountBelowMinimum`, `AmountAboveMaximum`, `NoRoute`, `Conflict`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(MAKE_DEPOSIT, client)
    known = Deposit.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.method, known.amount) != (method, amount):
            raise Conflict
        return known
    offers = deposit_offers(client, method, amount.currency)
    decision = accept_decision(
        client, method=method, amount=amount, payer_matches=True, subject=None, actor=actor
    )
    decision.raise_if_refused()
    chosen = _routed(client, method, amount, offers, actor)
    deposit = Deposit(
        client=client,
        method=Method(method),
        currency=amount.currency,
        amount_minor=amount.minor,
        fee_minor=chosen.fee(amount.minor),
        request_key=request_key,
        decision_id=decision.decision_id,
        expires_at=clock.now() + LIFETIME,
    )
    deposit.save_as(actor, "deposit asked for", action="deposit.create")
    _attempt_open(deposit, PaymentProvider.objects.get(code=chosen.provider), actor)
    emit(DepositCreated(deposit_id=deposit.pk, client_id=client.pk))
    return deposit


def deposit_offers(client: Client, method: str, currency: str) -> list[PaymentMethod]:
    """Raises `MethodNotOffered` when nobody takes this method in this currency for this client."""
    offers = [
        row for row in methods_for(client) if row.method == method and row.currency == currency
    ]
    if not offers:
        raise MethodNotOffered(method=method, currency=currency)
    return offers


def _routed(
    client: Client, method: str, amount: Money, offers: list[PaymentMethod], actor: Actor
) -> Offer:
    lowest = min(row.deposit_min for row in offers)
    highest = max(row.deposit_max for row in offers)
    if amount < lowest:
        raise AmountBelowMinimum(minimum=lowest)
    if amount > highest:
        raise AmountAboveMaximum(maximum=highest)
    decision = route_decision(client, method=method, amount=amount, actor=actor)
    decision.raise_if_refused()
    ordered = route(offers_of(offers), decision.obligations["providers"], amount.minor)
    if not ordered:
        raise NoRoute
    return ordered[0]


def _attempt_open(deposit: Deposit, provider: PaymentProvider, actor: Actor) -> DepositAttempt:
    number = deposit.attempts.count() + 1
    attempt = DepositAttempt(
        deposit=deposit,
        provider=provider,
        number=number,
        reference=f"deposit:{deposit.pk}:{number}",
    )
    attempt.save_as(actor, "attempt", action="deposit_attempt.create")
    return attempt


def deposit_start(*, deposit_id: UUID, actor: Actor, return_url: str = "") -> DepositAttempt:
    """Ask the provider for the page where the client pays; done once however often this is called.

    Talks to the provider, so call it outside any transaction. A silent provider leaves the attempt UNKNOWN: it is
    asked about by reference and never sent again. Raises `NotVisible`, `NotAllowed`.
    """
    actor.require(MAKE_DEPOSIT)
    seen_by = Deposit.objects.visible_to(actor).select_related("client__person")
    deposit = seen_by.filter(pk=deposit_id).first()
    if deposit is None:
        raise NotVisible
    attempt = latest_attempt(deposit)
    if attempt is None or attempt.state != AttemptState.STARTED:
        return attempt  # type: ignore[return-value]
    if attempt.asked_at is not None:
        return attempt_ask(attempt_id=attempt.pk)
    attempt_asked(attempt_id=attempt.pk)
    try:
        seen = adapter_for(attempt.provider.code).payment_create(
            reference=attempt.reference,
            amount=deposit.amount,
            method=deposit.method,
            payer=deposit.client.person.full_name,
            return_url=return_url,
        )
    except ProviderUnreachable as error:
        return attempt_failed(attempt_id=attempt.pk, problem=str(error))
    except ProviderSilent as error:
        return attempt_lost(attempt_id=attempt.pk, problem=str(error))
    except ProviderSaysNo as refusal:
        return attempt_failed(attempt_id=attempt.pk, problem=str(refusal))
    payment_apply(provider_code=attempt.provider.code, seen=seen, receipt_id=None)
    return DepositAttempt.objects.get(pk=attempt.pk)


def attempt_ask(*, attempt_id: UUID) -> DepositAttempt:
    """Ask the provider what became of an attempt and apply it. For time-outs, late webhooks and the beat."""
    attempt = DepositAttempt.objects.select_related("provider").get(pk=attempt_id)
    adapter = adapter_for(attempt.provider.code)
    attempt_asked(attempt_id=attempt.pk)
    if attempt.provider_payment_id:
        seen: ProviderPayment | None = adapter.payment_get(payment_id=attempt.provider_payment_id)
    else:
        seen = adapter.payment_find(reference=attempt.reference)
    if seen is not None:
        payment_apply(provider_code=attempt.provider.code, seen=seen, receipt_id=None)
    elif attempt.created_at < clock.now() - LIFETIME:
        attempt_failed(attempt_id=attempt.pk, problem="the provider does not know it")
    return DepositAttempt.objects.get(pk=attempt_id)


@command
def attempt_asked(*, attempt_id: UUID) -> None:
    """Written before anything leaves, so that a crash in between is asked about, not repeated."""
    DepositAttempt.objects.filter(pk=attempt_id).update(asked_at=clock.now())


@command
def attempt_lost(*, attempt_id: UUID, problem: str) -> DepositAttempt:
    attempt, _ = _attempt_locked(attempt_id)
    if attempt.state == AttemptState.STARTED:
        attempt.lose(by=PSP, reason=problem)
        attempt.save_as(PSP, problem, action="deposit_attempt.lose")
    return attempt


@command
def attempt_failed(*, attempt_id: UUID, problem: str) -> DepositAttempt:
    """A definite no: nothing was and will be charged for this attempt. One that has ended stays as it ended."""
    attempt, deposit = _attempt_locked(attempt_id)
    if attempt.state not in ATTEMPT_OPEN:
        return attempt
    attempt.fail(by=PSP, reason=problem)
    attempt.save_as(PSP, problem, action="deposit_attempt.fail")
    if deposit.is_open:
        deposit.fail(by=PSP, reason=problem)
        deposit.save_as(PSP, problem, action="deposit.fail")
    return attempt


def _attempt_locked(attempt_id: UUID) -> tuple[DepositAttempt, Deposit]:
    deposit_id = DepositAttempt.objects.values_list("deposit_id", flat=True).get(pk=attempt_id)
    deposit = deposit_locked(deposit_id, visible_to=PSP)
    return deposit.attempts.select_related("provider").get(pk=attempt_id), deposit


# What people decide


@command
def deposit_approve(*, deposit_id: UUID, actor: Actor, reason: str) -> Deposit:
    """Credit a deposit that was put before a person.

    Raises `NotVisible`, `NotAllowed`, `WrongState`, and `RefusedByRule` when the rules refuse it for good.
    """
    deposit = deposit_locked(deposit_id, visible_to=actor)
    actor.require(DECIDE_DEPOSIT, deposit)
    _require_review(deposit, "crediting it")
    decision = accept_decision(
        deposit.client,
        method=deposit.method,
        amount=deposit.amount,
        payer_matches=deposit.payer_matches,
        subject=deposit,
        actor=actor,
    )
    decision.raise_if_refused()
    deposit.decision_id = decision.decision_id
    deposit_credit(deposit, actor=actor, reason=reason)
    return deposit


@command
def deposit_return(*, deposit_id: UUID, actor: Actor, reason: str) -> Deposit:
    """Refuse a deposit under review; the provider sends it back to where it came from.

    Raises `NotVisible`, `NotAllowed`, `WrongState`.
    """
    deposit = deposit_locked(deposit_id, visible_to=actor)
    actor.require(DECIDE_DEPOSIT, deposit)
    _require_review(deposit, "returning it")
    deposit.refuse(by=actor, reason=reason)
    deposit.save_as(actor, reason, action="deposit.return")
    emit(DepositReturnRequested(deposit_id=deposit.pk))
    return deposit


def _require_review(deposit: Deposit, what: str) -> None:
    if deposit.credit != CreditState.UNDER_REVIEW:
        raise WrongState(state=deposit.get_credit_display(), command=what)


def deposit_send_back(*, deposit_id: UUID) -> None:
    """Ask the provider to refund, then book it. Repeats are harmless: one reference, one refund."""
    deposit = Deposit.objects.get(pk=deposit_id)
    if deposit.credit != CreditState.REJECTED_RETURN:
        return
    attempt = deposit.attempts.select_related("provider").get(state=AttemptState.CHARGED)
    adapter_for(attempt.provider.code).refund_create(
        reference=f"refund:{deposit.pk}",
        payment_id=attempt.provider_payment_id,
        amount=deposit.amount,
    )
    deposit_returned(deposit_id=deposit.pk)


@command
def deposit_returned(*, deposit_id: UUID) -> Deposit:
    deposit = deposit_locked(deposit_id, visible_to=PSP)
    if deposit.credit == CreditState.REJECTED_RETURN:
        deposit_refunded(deposit, actor=PSP)
    return deposit


@command
def deposit_cancel(*, deposit_id: UUID, actor: Actor, reason: str) -> Deposit:
    """The client gave up before paying. Money that comes all the same goes to suspense.

    Raises `NotVisible`, `WrongState`.
    """
    deposit = deposit_locked(deposit_id, visible_to=actor)
    actor.require(MAKE_DEPOSIT, deposit)
    if not deposit.is_open:
        raise WrongState(state=deposit.get_payment_display(), command="canceling it")
    deposit.cancel(by=actor, reason=reason)
    deposit.save_as(actor, reason, action="deposit.cancel")
    return deposit


@command
def deposits_expire(*, actor: Actor) -> int:
    """Close intents whose page has run out. A payment that arrives later still counts."""
    with transaction.atomic():
        due = Deposit.objects.filter(
            payment__in=["CREATED", "REQUIRES_ACTION"], expires_at__lte=clock.now()
        ).order_by("pk")
        expired = list(due.select_for_update(skip_locked=True, no_key=True, of=("self",))[:200])
    for deposit in expired:
        deposit.expire(by=actor, reason="nobody paid in time")
        deposit.save_as(actor, "nobody paid in time", action="deposit.expire")
    return len(expired)


def deposit_return_url(deposit_id: UUID) -> str:
    """The path to which the provider sends the client back."""
    return reverse("portal:payments-deposit-detail", args=[deposit_id])
