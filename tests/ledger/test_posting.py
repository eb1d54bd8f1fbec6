"""Money in the books: what a posting promises."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_vote
from apps.core.approvals.errors import AlreadyAsked
from apps.core.errors import SelfApproval
from apps.core.money import Money
from apps.ledger.enums import AccountKind, Phase
from apps.ledger.errors import (
    AccountClosed,
    HoldExpired,
    HoldResolved,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidPosting,
    PeriodClosed,
)
from apps.ledger.models import Account, Entry
from apps.ledger.selectors import account_for, balance_of, total_of, trial_balance
from apps.ledger.services import (
    Leg,
    entry_correct,
    hold_post,
    hold_void,
    holds_expire,
    period_close,
    post,
)
from tests.ledger.books import (
    ACTOR,
    clearing,
    deposited,
    figures,
    fingerprint,
    held,
    in_transit,
    posted,
    usd,
    wallet,
)

pytestmark = pytest.mark.django_db


def test_a_deposit_moves_both_sides_at_once():
    ana = wallet()
    deposited(ana, "100.00")

    assert figures(ana) == ("100.00", "0.00", "100.00")
    assert balance_of(clearing()).posted == usd("100.00")


def test_the_same_key_with_the_same_content_returns_the_stored_entry_and_moves_nothing():
    ana = wallet()
    first = deposited(ana, "100.00", key="psp-event-1")
    before = fingerprint()

    assert deposited(ana, "100.00", key="psp-event-1").pk == first.pk
    assert fingerprint() == before


def test_the_same_key_with_other_content_is_refused():
    ana = wallet()
    deposited(ana, "100.00", key="psp-event-1")
    before = fingerprint()

    with pytest.raises(IdempotencyConflict) as refusal:
        deposited(ana, "101.00", key="psp-event-1")

    assert refusal.value.code == "IDEMPOTENCY_CONFLICT"
    assert fingerprint() == before


def test_a_repeated_key_is_answered_even_when_the_money_is_gone():
    ana = wallet()
    deposited(ana, "100.00")
    leg = Leg(ana, in_transit(), usd("100.00"), Phase.PENDING)
    first = posted(leg, key="withdraw-1")

    assert posted(leg, key="withdraw-1").pk == first.pk
    assert figures(ana) == ("100.00", "100.00", "0.00")


def test_a_wallet_cannot_pay_more_than_is_available_and_says_how_much_that_is():
    ana = wallet()
    deposited(ana, "100.00")
    held(ana, "60.00")
    before = fingerprint()

    with pytest.raises(InsufficientFunds) as refusal:
        posted(Leg(ana, clearing(), usd("40.01")))

    assert str(refusal.value) == "Only 40.00 USD is available."
    assert fingerprint() == before


def test_a_trading_account_may_go_below_zero():
    trading = account_for(AccountKind.CLIENT_TRADING, "USD", "trading:7")
    house = account_for(AccountKind.BBOOK_PNL, "USD")
    posted(Leg(trading, house, usd("12.34")))

    assert balance_of(trading).posted == usd("-12.34")
    assert balance_of(house).posted == usd("12.34")


def test_the_legs_of_one_entry_stand_or_fall_together():
    ana, ben = wallet("ana"), wallet("ben")
    deposited(ana, "50.00")
    before = fingerprint()

    with pytest.raises(InsufficientFunds):
        posted(Leg(ana, ben, usd("30.00")), Leg(ana, ben, usd("30.00")))

    assert fingerprint() == before


def test_money_that_passes_through_an_account_in_one_entry_needs_no_cover_of_its_own():
    ana = wallet("ana")
    posted(Leg(clearing(), ana, usd("30.00")), Leg(ana, in_transit(), usd("30.00")))

    assert figures(ana) == ("0.00", "0.00", "0.00")


def test_a_hold_keeps_money_from_being_spent_until_it_is_posted():
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00")
    assert figures(ana) == ("100.00", "60.00", "40.00")

    with transaction.atomic():
        hold_post(pending=hold, kind="test.post", key="p", actor=ACTOR)

    assert figures(ana) == ("40.00", "0.00", "40.00")
    assert balance_of(in_transit()).posted == usd("60.00")


def test_a_partial_post_releases_the_rest():
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00")

    with transaction.atomic():
        hold_post(pending=hold, amount=usd("45.50"), kind="test.post", key="p", actor=ACTOR)

    assert figures(ana) == ("54.50", "0.00", "54.50")


def test_a_voided_hold_gives_everything_back():
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00")

    with transaction.atomic():
        hold_void(pending=hold, kind="test.void", key="v", actor=ACTOR)

    assert figures(ana) == ("100.00", "0.00", "100.00")
    assert balance_of(in_transit()).pending_in == usd("0.00")


@pytest.mark.parametrize("again", [hold_post, hold_void])
def test_a_hold_is_resolved_only_once(again):
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00")
    with transaction.atomic():
        hold_post(pending=hold, kind="test.post", key="p", actor=ACTOR)
    before = fingerprint()

    with pytest.raises(HoldResolved), transaction.atomic():
        again(pending=hold, kind="test.again", key="q", actor=ACTOR)

    assert fingerprint() == before


def test_a_hold_cannot_be_posted_for_more_than_it_holds():
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00")
    before = fingerprint()

    with pytest.raises(InvalidPosting), transaction.atomic():
        hold_post(pending=hold, amount=usd("60.01"), kind="test.post", key="p", actor=ACTOR)

    assert fingerprint() == before


def test_an_expired_hold_cannot_be_posted_and_is_released_by_the_sweep():
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00", expires_at=clock.now() + timedelta(hours=1))

    assert holds_expire(actor=ACTOR) == 0
    with clock.frozen(clock.now() + timedelta(hours=1)):
        with pytest.raises(HoldExpired), transaction.atomic():
            hold_post(pending=hold, kind="test.post", key="p", actor=ACTOR)
        assert figures(ana) == ("100.00", "60.00", "40.00")
        assert holds_expire(actor=ACTOR) == 1
        assert holds_expire(actor=ACTOR) == 0

    assert figures(ana) == ("100.00", "0.00", "100.00")


@pytest.mark.parametrize(
    ("name", "leg"),
    [
        ("zero", lambda: Leg(clearing(), wallet(), usd("0"))),
        ("negative", lambda: Leg(clearing(), wallet(), usd("-1"))),
        ("same account", lambda: Leg(wallet(), wallet(), usd("1"))),
        ("two currencies", lambda: Leg(clearing("EUR"), wallet(), usd("1"))),
        ("amount in another currency", lambda: Leg(clearing(), wallet(), Money.of("1", "EUR"))),
        ("post of no hold", lambda: Leg(clearing(), wallet(), usd("1"), Phase.POST)),
    ],
)
def test_a_senseless_posting_is_refused(name, leg):
    made = leg()
    before = fingerprint()

    with pytest.raises(InvalidPosting):
        posted(made)

    assert fingerprint() == before


def test_an_entry_without_transfers_is_refused():
    with pytest.raises(InvalidPosting):
        posted()
    assert Entry.objects.count() == 0


def test_posting_outside_a_transaction_is_refused(transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        post(kind="test", key="k", legs=[Leg(clearing(), wallet(), usd("1"))], actor=ACTOR)
    assert Entry.objects.count() == 0


def test_a_closed_account_takes_no_money():
    ana = wallet()
    clearing()
    Account.objects.filter(pk=ana.pk).update(closed_at=clock.now())
    before = fingerprint()

    with pytest.raises(AccountClosed):
        deposited(wallet(), "1.00")

    assert fingerprint() == before


def corrected(wrong: Entry, *, reason: str) -> Entry:
    """Asked for by one, agreed to by another; a large one in an account nobody can convert takes a third."""
    asked = entry_correct(entry_id=wrong.pk, actor=ACTOR, reason=reason)
    for number in range(asked.required):
        approval_vote(
            approval_id=asked.pk,
            actor=Actor.system(f"other {number}"),
            verdict="APPROVE",
            reason="agreed",
        )
    return Entry.objects.get(corrects=wrong)


def test_a_correction_is_a_new_entry_with_the_accounts_swapped():
    ana = wallet()
    wrong = deposited(ana, "100.00")

    correction = corrected(wrong, reason="booked to the wrong client")

    assert figures(ana) == ("0.00", "0.00", "0.00")
    assert (correction.corrects_id, correction.reason) == (wrong.pk, "booked to the wrong client")
    before = fingerprint()
    with pytest.raises(InvalidPosting):
        entry_correct(entry_id=wrong.pk, actor=ACTOR, reason="twice")
    assert (fingerprint(), figures(ana)) == (before, ("0.00", "0.00", "0.00"))


def test_a_correction_takes_a_second_person_and_is_asked_for_once():
    ana = wallet()
    wrong = deposited(ana, "100.00")
    asked = entry_correct(entry_id=wrong.pk, actor=ACTOR, reason="typo")
    before = fingerprint()

    with pytest.raises(AlreadyAsked):
        entry_correct(entry_id=wrong.pk, actor=ACTOR, reason="typo")
    with pytest.raises(SelfApproval):
        approval_vote(approval_id=asked.pk, actor=ACTOR, verdict="APPROVE", reason="mine")

    assert (fingerprint(), figures(ana)) == (before, ("100.00", "0.00", "100.00"))


def test_a_hold_is_released_not_corrected():
    ana = wallet()
    deposited(ana, "100.00")
    hold = held(ana, "60.00")
    before = fingerprint()

    with pytest.raises(InvalidPosting):
        entry_correct(entry_id=hold.entry_id, actor=ACTOR, reason="no")

    assert fingerprint() == before


def test_a_closed_period_takes_no_posting_and_the_correction_goes_to_the_open_one():
    ana = wallet()
    entry = deposited(ana, "100.00")
    period_close(closed_through=clock.now(), actor=ACTOR, reason="month end")
    before = fingerprint()

    with pytest.raises(PeriodClosed):
        posted(Leg(clearing(), ana, usd("1.00")), effective_at=entry.effective_at)

    assert fingerprint() == before
    assert corrected(entry, reason="late").corrects_id == entry.pk


def test_a_period_that_has_not_ended_cannot_be_closed():
    with pytest.raises(InvalidPosting):
        period_close(closed_through=clock.now() + timedelta(days=1), actor=ACTOR, reason="early")


def test_house_accounts_are_spread_over_shards_that_reports_add_up():
    ana = wallet()
    shards = {
        account_for(AccountKind.PSP_CLEARING, "USD", "psp:x", shard_key=str(i)) for i in range(64)
    }
    assert len(shards) == 16

    for shard in shards:
        posted(Leg(shard, ana, usd("1.00")))

    assert total_of(AccountKind.PSP_CLEARING, "USD", "psp:x") == usd("16.00")
    assert figures(ana) == ("16.00", "0.00", "16.00")


def test_wei_fit_into_the_books():
    """64 bits overflow at 9.22 ETH in wei."""
    ana = wallet(currency="ETH")
    deposited(ana, "1000000.000000000000000001")

    assert balance_of(ana).posted == Money.of("1000000.000000000000000001", "ETH")


def test_the_trial_balance_is_balanced_in_every_currency():
    deposited(wallet(), "100.00")
    deposited(wallet(currency="EUR"), "7.00")
    held(wallet(), "30.00")

    lines = trial_balance()

    for currency, total in (("USD", usd("100.00")), ("EUR", Money.of("7.00", "EUR"))):
        mine = [line for line in lines if line.currency == currency]
        assert sum((line.debits for line in mine), Money.zero(currency)) == total
        assert sum((line.credits for line in mine), Money.zero(currency)) == total
