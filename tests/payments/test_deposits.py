"""Money coming in, whatever the provider says, how often and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.errors import Conflict, NotAllowed, NotVisible, WrongState
from apps.core.models import Delivery
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import total_of
from apps.payments import tasks
from apps.payments.enums import (
    AttemptState,
    CreditState,
    PaymentState,
    ReceiptOutcome,
    SettlementState,
    SuspenseKind,
)
from apps.payments.errors import AmountAboveMaximum, AmountBelowMinimum, MethodNotOffered
from apps.payments.models import Deposit, SuspenseItem, WebhookOutcome
from apps.payments.services.deposits import (
    attempt_ask,
    attempt_failed,
    deposit_approve,
    deposit_cancel,
    deposit_create,
    deposit_return,
    deposit_start,
    deposits_expire,
)
from apps.rules.errors import RefusedByRule
from tests.payments.world import (
    ana,
    as_client,
    asks_to_deposit,
    books_are_sound,
    deposited,
    events_of,
    finance,
    fresh,
    key,
    payment_of,
    traces,
    usd,
    wallet,
)


def states(deposit: Deposit) -> tuple[str, str, str]:
    row = fresh(deposit)
    return row.payment, row.credit, row.settlement


def test_a_card_payment_reaches_the_wallet(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    assert states(deposit) == ("REQUIRES_ACTION", "NOT_CREDITED", "UNSETTLED")
    assert deposit.attempts.get().hosted_url.startswith("http://127.0.0.1:")

    house.pays(deposit)
    house.knocks()

    assert states(deposit) == ("SUCCEEDED", "CREDITED", "UNSETTLED")
    assert wallet(client) == ("250.00", "250.00")
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("250.00")
    assert fresh(deposit).first_deposit
    assert fresh(deposit).instrument.masked == "Visa •••• 4242"
    assert events_of(deposit.pk) == ["payments.DepositCreated", "payments.DepositCredited"]
    assert books_are_sound()


def test_the_quoted_fee_is_taken_and_shown(house):
    client = ana()
    deposit = deposited(house, client, "200.00", "EWALLET")

    assert (deposit.fee, deposit.net) == (usd("3.00"), usd("197.00"))
    assert wallet(client) == ("197.00", "197.00")
    assert total_of(AccountKind.INCOME_FEES, "USD") == usd("3.00")


def test_the_second_deposit_is_not_the_first(house):
    client = ana()
    assert deposited(house, client, "50.00").first_deposit
    assert not deposited(house, client, "50.00").first_deposit


def test_a_message_that_comes_many_times_credits_once(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    house.fault("duplicate", copies=100)
    house.fault("duplicate", copies=100)
    house.pays(deposit)
    for _ in range(5):
        house.knocks()

    assert wallet(client) == ("250.00", "250.00")
    assert WebhookOutcome.objects.filter(outcome=ReceiptOutcome.APPLIED).count() == 1


def test_messages_in_reverse_order_lead_to_the_same_end(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    house.fault("reorder")
    house.pays(deposit)
    house.knocks()

    assert states(deposit) == ("SUCCEEDED", "CREDITED", "UNSETTLED")
    assert wallet(client) == ("250.00", "250.00")
    outcomes = WebhookOutcome.objects.values_list("outcome", flat=True)
    assert sorted(outcomes) == [ReceiptOutcome.APPLIED, ReceiptOutcome.NO_CHANGE]


def test_a_message_that_never_comes_is_made_up_for_by_asking(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    house.fault("drop", times=2)
    house.pays(deposit)
    house.knocks()
    assert wallet(client) == ("0.00", "0.00")

    attempt_ask(attempt_id=deposit.attempts.get().pk)

    assert wallet(client) == ("250.00", "250.00")


def test_a_declined_payment_ends_as_failed_with_the_reason(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    house.provider.decline(deposit.attempts.get().provider_payment_id)
    house.knocks()

    assert states(deposit) == ("FAILED", "NOT_CREDITED", "UNSETTLED")
    assert fresh(deposit).why == "do_not_honor"
    assert wallet(client) == ("0.00", "0.00")


def test_a_payment_after_the_page_expired_is_still_credited(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert deposits_expire(actor=finance()) == 1
    assert states(deposit)[0] == PaymentState.EXPIRED

    house.pays(deposit)
    house.knocks()

    assert states(deposit) == ("SUCCEEDED", "CREDITED", "UNSETTLED")
    assert wallet(client) == ("250.00", "250.00")


@pytest.mark.parametrize(
    ("fault", "details", "kind", "suspended"),
    [
        ("amount", {"amount": "200.00"}, SuspenseKind.AMOUNT, ("USD", "200.00")),
        ("amount", {"amount": "300.00"}, SuspenseKind.AMOUNT, ("USD", "300.00")),
        ("currency", {"currency": "EUR"}, SuspenseKind.CURRENCY, ("EUR", "250.00")),
    ],
)
def test_money_that_differs_from_what_was_asked_goes_to_suspense(
    house, fault, details, kind, suspended
):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    house.fault(fault, **details)
    house.pays(deposit)
    house.knocks()

    assert states(deposit) == ("CONFLICTED", "UNMATCHED", "UNSETTLED")
    item = SuspenseItem.objects.get()
    assert (item.kind, item.deposit_id) == (kind, deposit.pk)
    assert (item.currency, str(item.amount.amount)) == suspended
    currency, amount = suspended
    assert str(total_of(AccountKind.SUSPENSE_UNALLOCATED, currency).amount) == amount
    assert wallet(client) == ("0.00", "0.00")
    assert books_are_sound()


def test_a_payment_for_a_deposit_that_the_client_gave_up_goes_to_suspense(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    deposit_cancel(deposit_id=deposit.pk, actor=as_client(client), reason="changed my mind")
    house.pays(deposit)
    house.knocks()

    assert states(deposit)[:2] == ("CONFLICTED", "UNMATCHED")
    assert SuspenseItem.objects.get().kind == SuspenseKind.CLOSED
    assert wallet(client) == ("0.00", "0.00")


def test_money_under_a_reference_that_is_not_ours_goes_to_suspense(house):
    stray = house.provider.payment_create(
        {"reference": "somebody-else", "amount": "70.00", "currency": "USD", "method": "CARD"}
    )
    house.provider.pay(stray["id"], holder="Some Body", instrument="")
    for _ in range(3):
        house.knocks()

    item = SuspenseItem.objects.get()
    assert (item.kind, item.amount, item.deposit_id) == (SuspenseKind.UNMATCHED, usd("70.00"), None)
    assert total_of(AccountKind.SUSPENSE_UNALLOCATED, "USD") == usd("70.00")
    assert books_are_sound()


def test_a_silent_provider_is_asked_and_never_charged_twice(house):
    client = ana()
    house.fault("timeout_create")
    deposit = asks_to_deposit(client, "250.00")
    attempt = deposit.attempts.get()
    assert (attempt.state, deposit.payment) == (AttemptState.UNKNOWN, PaymentState.CREATED)

    deposit_start(deposit_id=deposit.pk, actor=as_client(client))
    attempt = attempt_ask(attempt_id=attempt.pk)

    assert attempt.state == AttemptState.PENDING
    assert len(house.provider.store.find("payment", attempt.reference)) == 1
    assert states(deposit)[0] == PaymentState.REQUIRES_ACTION


def test_a_definite_no_ends_the_deposit(house):
    client = ana()
    house.fault("refuse_create")
    deposit = asks_to_deposit(client, "250.00")

    assert (deposit.payment, deposit.attempts.get().state) == ("FAILED", "FAILED")
    assert wallet(client) == ("0.00", "0.00")


def test_a_large_deposit_waits_for_finance_and_is_credited_by_them(house):
    client = ana()
    deposit = deposited(house, client, "12000.00")
    assert states(deposit)[:2] == ("SUCCEEDED", "UNDER_REVIEW")
    assert total_of(AccountKind.SUSPENSE_UNALLOCATED, "USD") == usd("12000.00")
    assert wallet(client) == ("0.00", "0.00")

    deposit_approve(deposit_id=deposit.pk, actor=finance(), reason="source of funds seen")

    assert states(deposit)[:2] == ("SUCCEEDED", "CREDITED")
    assert wallet(client) == ("12000.00", "12000.00")
    assert total_of(AccountKind.SUSPENSE_UNALLOCATED, "USD") == usd("0.00")
    assert books_are_sound()


def test_somebody_elses_card_waits_for_finance_and_goes_back(house):
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    house.pays(deposit, holder="Robert Stranger")
    house.knocks()
    assert states(deposit)[1] == CreditState.UNDER_REVIEW
    assert not fresh(deposit).payer_matches

    deposit_return(deposit_id=deposit.pk, actor=finance(), reason="third party")
    house.knocks()

    assert states(deposit)[1] == CreditState.RETURNED
    assert wallet(client) == ("0.00", "0.00")
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("0.00")
    assert house.provider.store.find("refund", f"refund:{deposit.pk}")[0]["amount"] == "250.00"
    assert books_are_sound()


def test_the_provider_settles_and_its_fee_is_ours(house):
    client = ana()
    deposit = deposited(house, client, "250.00")
    payment = deposit.attempts.get().provider_payment_id
    house.provider.store.change(payment, {}, due=0)
    house.knocks()
    house.knocks()

    assert states(deposit)[2] == SettlementState.SETTLED
    assert (deposit.settled.gross, deposit.settled.fee) == (usd("250.00"), usd("3.50"))
    assert total_of(AccountKind.BANK_CLIENT_MONEY, "USD") == usd("246.50")
    assert total_of(AccountKind.PSP_FEES, "USD") == usd("3.50")
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("0.00")
    assert books_are_sound()


def test_a_double_click_is_one_deposit(house):
    client = ana()
    first = asks_to_deposit(client, "250.00", request_key="one-press")
    before = traces()

    assert asks_to_deposit(client, "250.00", request_key="one-press").pk == first.pk
    assert traces() == before
    with pytest.raises(Conflict):
        asks_to_deposit(client, "251.00", request_key="one-press")
    assert traces() == before


@pytest.mark.parametrize(
    ("amount", "method", "error"),
    [
        ("9.99", "CARD", AmountBelowMinimum),
        ("20000.01", "CARD", AmountAboveMaximum),
        ("100.00", "CRYPTO", MethodNotOffered),
    ],
)
def test_an_amount_or_method_that_nobody_takes_is_refused(house, amount, method, error):
    client = ana()
    before = traces()

    with pytest.raises(error):
        asks_to_deposit(client, amount, method)

    assert traces() == before


def test_an_unverified_client_is_told_what_to_do_first(house):
    client = ana(kyc_level=0)
    before = (Deposit.objects.count(), traces().ledger)

    with pytest.raises(RefusedByRule) as refusal:
        asks_to_deposit(client, "100.00")

    assert refusal.value.code == "KYC_REQUIRED"
    assert (Deposit.objects.count(), traces().ledger) == before


def test_nobody_deposits_for_or_decides_over_what_they_do_not_see(house):
    client, other = ana(), ana()
    with pytest.raises(NotVisible):
        deposit_create(
            client_id=client.pk,
            method="CARD",
            amount=usd("100.00"),
            request_key=key(),
            actor=as_client(other),
        )
    deposit = deposited(house, client, "12000.00")
    before = traces()
    with pytest.raises(NotAllowed):
        deposit_approve(deposit_id=deposit.pk, actor=as_client(client), reason="mine")
    assert traces() == before
    assert states(deposit)[1] == CreditState.UNDER_REVIEW


def test_only_what_is_under_review_can_be_decided(house):
    deposit = deposited(house, ana(), "100.00")
    before = traces()
    for decide in (deposit_approve, deposit_return):
        with pytest.raises(WrongState):
            decide(deposit_id=deposit.pk, actor=finance(), reason="again")
    assert traces() == before


def test_a_payment_after_the_page_expired_is_found_when_its_message_is_lost(house):
    """A bank payment takes a day, and the provider's messages get lost: the beat goes on asking."""
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    with clock.frozen(clock.now() + timedelta(hours=1)):
        deposits_expire(actor=finance())
    house.fault("drop", times=5)
    house.pays(deposit)
    house.knocks()
    assert states(deposit)[0] == PaymentState.EXPIRED

    with clock.frozen(clock.now() + timedelta(hours=20)):
        tasks.deposits_ask()

    assert states(deposit)[:2] == ("SUCCEEDED", "CREDITED")
    assert wallet(client) == ("250.00", "250.00")
    assert books_are_sound()


def test_an_attempt_that_was_given_up_and_then_fails_at_the_provider_stays_failed(house):
    """The time-out and the message say the same; the second one is no news and no error."""
    client = ana()
    deposit = asks_to_deposit(client, "250.00")
    attempt = deposit.attempts.get()
    attempt_failed(attempt_id=attempt.pk, problem="the provider does not know it")
    before = states(deposit)

    house.provider.decline(payment_of(deposit))
    house.knocks()

    assert (fresh(attempt).state, states(deposit)) == (AttemptState.FAILED, before)
    assert not Delivery.objects.exclude(state="DONE").exists()


def test_nothing_gives_up_an_attempt_that_was_charged(house):
    client = ana()
    deposit = deposited(house, client, "250.00")
    attempt = deposit.attempts.get()
    before = traces()
    assert attempt_failed(attempt_id=attempt.pk, problem="too late").state == AttemptState.CHARGED
    assert traces() == before
    assert wallet(client) == ("250.00", "250.00")
