"""Money going out: held at once, looked at in the open, sent once."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from apps.clients.enums import LiftBy, RestrictionKind, RestrictionSource
from apps.clients.services import restriction_add
from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_vote
from apps.core.approvals.errors import AlreadyAsked
from apps.core.errors import (
    AlreadyVoted,
    Conflict,
    NotAllowed,
    NotVisible,
    SelfApproval,
    WrongState,
)
from apps.core.models import Approval, AuditRecord
from apps.core.outbox import deliver_all
from apps.ledger.enums import AccountKind
from apps.ledger.models import Entry
from apps.ledger.selectors import total_of
from apps.payments.adapters import adapter_for
from apps.payments.enums import CheckResult, ReceiptOutcome, WithdrawalState
from apps.payments.errors import (
    AmountBelowMinimum,
    ChecksFailed,
    NotCancelable,
    WalletTooLow,
)
from apps.payments.models import WebhookOutcome, Withdrawal
from apps.payments.permissions import APPROVE_WITHDRAWAL, RESOLVE_PAYOUT
from apps.payments.selectors import checks_of, payouts_unclear
from apps.payments.services import payouts
from apps.payments.services.payouts import (
    payout_apply,
    payout_resolve,
    payouts_ask,
    withdrawal_ask,
    withdrawal_submit,
)
from apps.payments.services.withdrawals import (
    withdrawal_approve,
    withdrawal_cancel,
    withdrawal_reject,
)
from apps.rules.errors import RefusedByRule
from tests.payments.world import (
    ana,
    as_client,
    asks_to_withdraw,
    bank_account,
    books_are_sound,
    deposited,
    events_of,
    finance,
    fresh,
    traces,
    usd,
    wallet,
)

S = WithdrawalState


@pytest.fixture
def client(house):
    """Ana, with a thousand dollars from her card in the wallet."""
    person = ana()
    deposited(house, person, "1000.00")
    return person


def state(withdrawal: Withdrawal) -> tuple[str, str]:
    row = fresh(withdrawal)
    return row.state, row.outcome


def approved(withdrawal: Withdrawal) -> Withdrawal:
    for number in range(1, withdrawal.approvals_required + 1):
        withdrawal_approve(
            withdrawal_id=withdrawal.pk, actor=finance(number), reason="all in order"
        )
    return fresh(withdrawal)


def agrees(asked: Approval, actor: Actor) -> None:
    approval_vote(approval_id=asked.pk, actor=actor, verdict="APPROVE", reason="read their answer")


def test_a_request_holds_the_money_at_once(client):
    withdrawal = asks_to_withdraw(client, "400.00")

    assert withdrawal.state == S.PENDING_APPROVAL
    assert wallet(client) == ("1000.00", "600.00")
    assert events_of(withdrawal.pk) == ["payments.WithdrawalRequested"]


def test_the_whole_way_to_the_card(client, house):
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    assert withdrawal.state == S.APPROVED
    deliver_all()
    assert state(withdrawal) == (S.SENT, "")
    assert wallet(client) == ("1000.00", "600.00")

    house.knocks()
    house.knocks()

    assert state(withdrawal) == (S.SETTLED, S.SETTLED)
    assert wallet(client) == ("600.00", "600.00")
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("600.00")
    assert total_of(AccountKind.WITHDRAWAL_IN_TRANSIT, "USD") == usd("0.00")
    assert events_of(withdrawal.pk) == [
        "payments.WithdrawalRequested",
        "payments.WithdrawalApproved",
        "payments.WithdrawalSettled",
    ]
    assert books_are_sound()


def test_the_fee_stays_in_the_house_and_the_rest_is_paid(client, house):
    withdrawal = approved(asks_to_withdraw(client, "400.00", bank_account(client)))
    for _ in range(3):
        house.knocks()

    assert state(withdrawal)[0] == S.SETTLED
    assert (withdrawal.fee, withdrawal.net) == (usd("5.00"), usd("395.00"))
    assert house.provider.store.find("payout", withdrawal.reference)[0]["amount"] == "395.00"
    assert total_of(AccountKind.INCOME_FEES, "USD") == usd("5.00")
    assert wallet(client) == ("600.00", "600.00")
    assert books_are_sound()


def test_a_double_click_is_one_withdrawal(client):
    first = asks_to_withdraw(client, "400.00", request_key="one-press")
    before = traces()

    assert asks_to_withdraw(client, "400.00", request_key="one-press").pk == first.pk
    assert traces() == before
    with pytest.raises(Conflict):
        asks_to_withdraw(client, "401.00", request_key="one-press")
    assert traces() == before
    assert wallet(client) == ("1000.00", "600.00")


def test_more_than_is_free_is_refused_with_the_figure(client):
    asks_to_withdraw(client, "400.00")
    before = traces()

    with pytest.raises(WalletTooLow) as refusal:
        asks_to_withdraw(client, "600.01")

    assert "600.00 USD is free" in str(refusal.value)
    assert traces() == before


def test_people_needed_grow_with_the_amount(house):
    client = ana()
    deposited(house, client, "9000.00")
    needed = [
        asks_to_withdraw(client, amount).approvals_required for amount in ("50.00", "5000.00")
    ]
    assert needed == [1, 2]


def test_two_different_people_must_agree(house):
    client = ana()
    deposited(house, client, "9000.00")
    withdrawal = asks_to_withdraw(client, "5000.00")

    withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(1), reason="seen by me")
    assert state(withdrawal)[0] == S.PENDING_APPROVAL
    with pytest.raises(AlreadyVoted):
        withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(1), reason="once more")
    assert state(withdrawal)[0] == S.PENDING_APPROVAL
    withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(2), reason="seen by me too")

    assert state(withdrawal)[0] == S.APPROVED


def test_whoever_asked_cannot_approve(client):
    withdrawal = asks_to_withdraw(client, "400.00")
    asker = as_client(client)
    both = Actor(
        asker.kind,
        asker.id,
        asker.label,
        permissions=asker.permissions | {APPROVE_WITHDRAWAL.code},
        scope=finance().scope,
    )
    before = traces()

    with pytest.raises(SelfApproval):
        withdrawal_approve(withdrawal_id=withdrawal.pk, actor=both, reason="mine")

    assert (state(withdrawal)[0], traces()) == (S.PENDING_APPROVAL, before)


def test_approving_needs_the_permission(client):
    withdrawal = asks_to_withdraw(client, "400.00")
    before = traces()
    with pytest.raises(NotAllowed):
        withdrawal_approve(
            withdrawal_id=withdrawal.pk, actor=finance(1, APPROVE_WITHDRAWAL), reason="please"
        )
    assert (state(withdrawal)[0], traces()) == (S.PENDING_APPROVAL, before)


def test_the_check_list_says_what_was_seen(client):
    withdrawal = asks_to_withdraw(client, "400.00")
    rows = {row.code: (row.result, row.evidence) for row in checks_of(withdrawal)}

    assert rows["IDENTITY"] == (CheckResult.PASS, "verified to level 2")
    assert rows["MONEY_HELD"] == (CheckResult.PASS, "400.00 USD held, 600.00 USD stays free")
    assert rows["CLOSED_LOOP"] == (CheckResult.PASS, "1,000.00 USD came from Visa •••• 4242")
    assert rows["USE"] == (CheckResult.REVIEW, "the client has never traded")
    assert "the client has never traded" in withdrawal.flagged
    assert rows["SIGN_IN"][0] == CheckResult.PASS
    assert len(rows) == 11


def test_money_goes_back_to_the_card_before_it_goes_to_a_bank(client):
    withdrawal = asks_to_withdraw(client, "400.00", bank_account(client))
    rows = {row.code: (row.result, row.evidence) for row in checks_of(withdrawal)}

    assert rows["CLOSED_LOOP"] == (
        CheckResult.REVIEW,
        "first due back: 1,000.00 USD Visa •••• 4242",
    )
    assert rows["NEW_BENEFICIARY"][0] == CheckResult.REVIEW


def test_a_block_that_comes_after_the_request_stops_the_approval_and_says_why(client):
    withdrawal = asks_to_withdraw(client, "90.00")
    restriction_add(
        client_id=client.pk,
        kind=RestrictionKind.NO_WITHDRAWAL,
        source=RestrictionSource.COMPLIANCE,
        reason="under investigation",
        lift_by=LiftBy.COMPLIANCE,
        actor=Actor.system("tests"),
    )
    before = traces()

    with pytest.raises(ChecksFailed) as refusal:
        withdrawal_approve(withdrawal_id=withdrawal.pk, actor=finance(), reason="fine")

    assert "withdrawals are blocked" in str(refusal.value)
    assert state(withdrawal)[0] == S.PENDING_APPROVAL
    assert traces() == before
    assert Approval.objects.get(pk=withdrawal.approval_id).votes.count() == 0


def test_a_no_frees_the_money(client):
    withdrawal = asks_to_withdraw(client, "400.00")
    withdrawal_reject(withdrawal_id=withdrawal.pk, actor=finance(), reason="no source of funds")

    assert state(withdrawal) == (S.RELEASED, S.REJECTED)
    assert fresh(withdrawal).why == "no source of funds"
    assert wallet(client) == ("1000.00", "1000.00")
    assert books_are_sound()


def test_the_client_changes_their_mind_before_it_is_sent(client):
    withdrawal = asks_to_withdraw(client, "400.00")
    withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=as_client(client), reason="no need")
    withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=as_client(client), reason="twice")

    assert state(withdrawal) == (S.RELEASED, S.CANCELED)
    assert wallet(client) == ("1000.00", "1000.00")
    assert Approval.objects.get(pk=withdrawal.approval_id).state == Approval.State.WITHDRAWN


def test_what_is_sent_cannot_be_canceled(client):
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    before = traces()
    with pytest.raises(NotCancelable):
        withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=as_client(client), reason="stop")
    assert (state(withdrawal)[0], traces()) == (S.SENT, before)


def test_what_was_canceled_is_never_sent(client, house):
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=as_client(client), reason="stop")
    deliver_all()

    assert state(withdrawal) == (S.RELEASED, S.CANCELED)
    assert house.provider.store.find("payout", withdrawal.reference) == []


def test_nobody_touches_a_withdrawal_they_do_not_see(client):
    withdrawal = asks_to_withdraw(client, "400.00")
    before = traces()
    with pytest.raises(NotVisible):
        withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=as_client(ana()), reason="mischief")
    assert state(withdrawal)[0] == S.PENDING_APPROVAL
    assert traces().ledger == before.ledger


def test_a_refused_payout_frees_the_money(client, house):
    house.fault("payout_fail")
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    for _ in range(3):
        house.knocks()

    assert state(withdrawal) == (S.RELEASED, S.FAILED)
    assert fresh(withdrawal).why == "beneficiary_rejected"
    assert wallet(client) == ("1000.00", "1000.00")
    assert books_are_sound()


def test_a_payout_that_the_bank_sends_back_days_later_is_in_the_wallet_again(client, house):
    house.fault("payout_return")
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    for _ in range(5):
        house.knocks()

    assert state(withdrawal) == (S.RELEASED, S.RETURNED)
    assert wallet(client) == ("1000.00", "1000.00")
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("1000.00")
    assert books_are_sound()


def test_a_definite_no_of_the_provider_frees_the_money(client, house):
    house.fault("refuse_create")
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    assert state(withdrawal) == (S.RELEASED, S.FAILED)
    assert wallet(client) == ("1000.00", "1000.00")


def test_a_payout_that_never_left_needs_a_person_after_a_while(client, house):
    house.fault("error_create")
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    assert state(withdrawal)[0] == S.UNKNOWN
    withdrawal_submit(withdrawal_id=withdrawal.pk)
    assert house.provider.store.find("payout", withdrawal.reference) == []

    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert withdrawal_ask(withdrawal_id=withdrawal.pk).state == S.ASSISTANCE
    with pytest.raises(NotAllowed):
        payout_resolve(
            withdrawal_id=withdrawal.pk, actor=finance(1, RESOLVE_PAYOUT), reason="it is lost"
        )
    assert wallet(client) == ("1000.00", "600.00")
    asked = payout_resolve(
        withdrawal_id=withdrawal.pk, actor=finance(), reason="the provider says it never had it"
    )
    with pytest.raises(AlreadyAsked):
        payout_resolve(withdrawal_id=withdrawal.pk, actor=finance(2), reason="it is lost")
    with pytest.raises(SelfApproval):
        agrees(asked, finance())
    assert wallet(client) == ("1000.00", "600.00")
    agrees(asked, finance(2))

    assert state(withdrawal) == (S.RELEASED, S.FAILED)
    assert wallet(client) == ("1000.00", "1000.00")


def test_only_a_lost_payout_can_be_released_by_hand(client):
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    before = traces()
    with pytest.raises(WrongState):
        payout_resolve(withdrawal_id=withdrawal.pk, actor=finance(), reason="impatient")
    assert (state(withdrawal)[0], traces()) == (S.SENT, before)


def test_the_beat_asks_about_payouts_whose_message_never_came(client, house):
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    house.fault("drop", times=2)
    house.provider.work()
    assert state(withdrawal)[0] == S.SENT

    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert payouts_ask() == 1

    assert state(withdrawal) == (S.SETTLED, S.SETTLED)


def test_too_little_is_refused(client):
    before = traces()
    with pytest.raises(AmountBelowMinimum):
        asks_to_withdraw(client, "9.99")
    assert traces() == before


def test_a_blocked_client_is_told_at_once_and_nothing_is_held(client):
    restriction_add(
        client_id=client.pk,
        kind=RestrictionKind.NO_WITHDRAWAL,
        source=RestrictionSource.COMPLIANCE,
        reason="under investigation",
        lift_by=LiftBy.COMPLIANCE,
        actor=Actor.system("tests"),
    )
    before = traces()
    with pytest.raises((ChecksFailed, RefusedByRule)):
        asks_to_withdraw(client, "100.00")
    assert traces() == before
    assert wallet(client) == ("1000.00", "1000.00")


def sent_by_hand(withdrawal):
    """The provider has it after all, under our reference."""
    return adapter_for("psp-sim").payout_create(
        reference=withdrawal.reference,
        amount=withdrawal.net,
        method=withdrawal.method,
        destination=withdrawal.destination.details,
        holder=withdrawal.destination.holder_name,
    )


def test_money_that_left_after_it_was_given_back_is_put_before_a_person(client, house):
    house.fault("error_create")
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        withdrawal_ask(withdrawal_id=withdrawal.pk)
    asked = payout_resolve(withdrawal_id=withdrawal.pk, actor=finance(), reason="they never had it")
    agrees(asked, finance(2))
    assert state(withdrawal) == (S.RELEASED, S.FAILED)
    assert not payouts_unclear(actor=finance()).exists()
    entries = Entry.objects.count()

    sent_by_hand(fresh(withdrawal))
    house.knocks()
    house.knocks()

    assert list(payouts_unclear(actor=finance())) == [withdrawal]
    outcomes = WebhookOutcome.objects.filter(subject_id=withdrawal.pk)
    assert "CONFLICTED" in outcomes.values_list("outcome", flat=True)
    assert AuditRecord.objects.filter(action="withdrawal.conflict").count() == 1
    assert "given back" in fresh(withdrawal).why
    assert (state(withdrawal), Entry.objects.count()) == ((S.RELEASED, S.FAILED), entries)


def test_a_second_payout_for_one_withdrawal_is_put_before_a_person(client, house):
    withdrawal = approved(asks_to_withdraw(client, "400.00"))
    deliver_all()
    house.knocks()
    house.knocks()
    assert state(withdrawal) == (S.SETTLED, S.SETTLED)
    seen = adapter_for("psp-sim").payout_get(payout_id=fresh(withdrawal).provider_payout_id)
    entries = Entry.objects.count()

    twin = dataclasses.replace(seen, id="po_twin")
    assert (
        payout_apply(provider_code="psp-sim", seen=seen, receipt_id=None)
        == ReceiptOutcome.NO_CHANGE
    )
    assert (
        payout_apply(provider_code="psp-sim", seen=twin, receipt_id=None)
        == ReceiptOutcome.CONFLICTED
    )
    assert (state(withdrawal), Entry.objects.count()) == ((S.SETTLED, S.SETTLED), entries)


def test_one_payout_that_cannot_be_asked_about_does_not_keep_the_others_waiting(
    client, house, monkeypatch
):
    broken, fine = (approved(asks_to_withdraw(client, "100.00")) for _ in range(2))
    deliver_all()
    house.fault("drop", times=10)
    house.provider.work()
    real = payouts.withdrawal_ask

    def breaks(*, withdrawal_id):
        if withdrawal_id == broken.pk:
            raise ArithmeticError("nobody thought of this")
        return real(withdrawal_id=withdrawal_id)

    monkeypatch.setattr(payouts, "withdrawal_ask", breaks)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert payouts_ask() == 1

    assert (state(broken)[0], state(fine)[0]) == (S.SENT, S.SETTLED)
