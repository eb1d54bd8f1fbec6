"""Real connections that decide on the same change at the same instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import (
    approval_expire,
    approval_revise,
    approval_vote,
    approval_withdraw,
)
from apps.core.errors import DomainError
from apps.core.models import Approval, ApprovalVote, AuditRecord, Mail
from apps.payments.models import Withdrawal
from apps.payments.services.withdrawals import withdrawal_approve, withdrawal_cancel
from tests.core.approving import FIRST, MAKER, SECOND, ask, paying, staff
from tests.payments.conftest import house as house
from tests.payments.conftest import platform as platform
from tests.payments.conftest import psp as psp
from tests.payments.world import ana, as_client, asks_to_withdraw, deposited, finance, wallet

pytestmark = pytest.mark.django_db(transaction=True)
BEAT = Actor.system("beat")


@pytest.fixture(autouse=True)
def world():
    with paying() as made:
        yield made


def at_once(*acts: Callable[[], Any]) -> Counter[str]:
    """Each act on a connection of its own, all starting together; how often each answer came."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> str:
        try:
            barrier.wait()
            act()
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))


def votes(approval: Approval, actor: Actor, verdict: str = "APPROVE") -> Callable[[], Any]:
    return lambda: approval_vote(
        approval_id=approval.pk, actor=actor, verdict=verdict, reason="looked"
    )


def state(approval: Approval) -> str:
    return str(Approval.objects.get(pk=approval.pk).state)


def test_two_approvers_at_once_carry_it_out_once():
    approval = ask(required=2)
    assert at_once(votes(approval, FIRST), votes(approval, SECOND)) == {"done": 2}
    assert (state(approval), Mail.objects.count()) == ("APPROVED", 1)


def test_of_eight_who_agree_at_once_exactly_as_many_count_as_are_needed():
    approval = ask(required=3)
    crowd = [votes(approval, staff(9100 + number)) for number in range(8)]
    assert at_once(*crowd) == {"done": 3, "WRONG_STATE": 5}
    assert (ApprovalVote.objects.count(), Mail.objects.count()) == (3, 1)
    assert AuditRecord.objects.filter(action="approval.approve").count() == 1


def test_one_person_on_two_connections_has_one_vote():
    approval = ask(required=2)
    answers = at_once(votes(approval, FIRST), votes(approval, FIRST))
    assert answers == {"done": 1, "ALREADY_VOTED": 1}
    assert (ApprovalVote.objects.count(), Mail.objects.count()) == (1, 0)


SQL = """INSERT INTO core_approvalvote (approval_id, maker_id, voter_id, voter_label, authority,
    on_behalf_of, on_behalf_label, permission, verdict, reason, payload_hash, round, stage, at)
    VALUES (%s, %s, %s, 'x', %s, %s, '', '', 'APPROVE', 'r', %s, %s, 0, now())"""


@pytest.mark.parametrize(
    ("voter", "behalf", "change", "why"),
    [
        ("user:9001", "", {}, "vote_not_by_maker"),
        ("user:9005", "user:9001", {}, "vote_not_by_maker"),
        ("user:9001", "", {"maker": "user:1"}, "vote_names_its_maker"),
        ("user:9002", "", {}, "decides twice"),
        ("user:9005", "user:9002", {}, "decides twice"),
        ("user:9002", "user:9005", {}, "decides twice"),
        ("user:9005", "", {"hash": "f" * 64}, "another version"),
        ("user:9005", "", {"round": 2}, "another version"),
        ("user:9008", "", {}, "gains from change"),
        ("user:9005", "user:9008", {}, "gains from change"),
    ],
)
def test_the_database_refuses_by_itself_what_the_service_would(voter, behalf, change, why):
    """Somebody with a connection to the database and no service in between."""
    approval = ask(required=2, beneficiary_ids=["user:9008"])
    votes(approval, FIRST)()
    values = [
        approval.pk, change.get("maker", approval.maker_id), voter, behalf or voter, behalf,
        change.get("hash", approval.payload_hash), change.get("round", approval.round),
    ]  # fmt: skip
    with (
        pytest.raises(DatabaseError, match=why),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(SQL, values)
    assert (ApprovalVote.objects.count(), state(approval)) == (1, "PENDING")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_approval SET state = 'PENDING'",
        "UPDATE core_approval SET state = 'REJECTED'",
    ],
)
def test_the_database_lets_nothing_that_ended_begin_again(statement):
    approval = ask(required=1)
    votes(approval, FIRST)()
    with pytest.raises(DatabaseError, match="has ended"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (state(approval), Mail.objects.count()) == ("APPROVED", 1)


@pytest.mark.parametrize("round_", range(3))
def test_vote_withdrawal_and_expiry_at_once_end_it_in_one_way(round_):
    approval = ask(required=1, expires_in=timedelta(seconds=-1))
    Approval.objects.filter(pk=approval.pk).update(
        expires_at=clock.now() + timedelta(milliseconds=40)
    )
    answers = at_once(
        votes(approval, FIRST),
        lambda: approval_withdraw(approval_id=approval.pk, actor=MAKER, reason="no"),
        lambda: approval_expire(approval_id=approval.pk, actor=BEAT),
    )
    assert sum(answers.values()) == 3
    assert set(answers) <= {"done", "WRONG_STATE"}
    assert state(approval) in {"APPROVED", "WITHDRAWN"}
    assert Mail.objects.get().to == ("100" if state(approval) == "APPROVED" else "freed")


def test_a_vote_on_what_the_maker_revises_at_the_same_instant_is_on_one_of_the_two():
    """Either the vote came first and is void now, or it is a vote on the new change: never an old vote on it."""
    approval = ask(required=2)
    answers = at_once(
        votes(approval, FIRST),
        lambda: approval_revise(
            approval_id=approval.pk, actor=MAKER, reason="typo", payload={"amount": "90"}
        ),
    )
    assert answers == {"done": 2}
    kept, vote = Approval.objects.get(), ApprovalVote.objects.get()
    assert (vote.payload_hash == kept.payload_hash) == (vote.round == kept.round)
    assert hasattr(vote, "void") == (vote.round == 1)


def test_a_cancel_waits_for_the_vote_without_holding_what_the_vote_needs(house):
    """The approval is locked first by both, so neither ever waits for what the other one holds."""
    client = ana()
    deposited(house, client, "1000.00")
    withdrawal = asks_to_withdraw(client, "400.00")
    holding, looked = Event(), Event()

    def holds_the_approval() -> str:
        try:
            with transaction.atomic():
                Approval.objects.select_for_update().get(pk=withdrawal.approval_id)
                holding.set()
                looked.wait(10)
        finally:
            connection.close()
        return "held"

    def cancels() -> str:
        try:
            holding.wait(10)
            withdrawal_cancel(withdrawal_id=withdrawal.pk, actor=as_client(client), reason="no")
        finally:
            connection.close()
        return "canceled"

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(holds_the_approval), pool.submit(cancels)
        holding.wait(10)
        _until_somebody_waits()
        with transaction.atomic():
            free = Withdrawal.objects.select_for_update(nowait=True).get(pk=withdrawal.pk)
        looked.set()
        assert (first.result(), second.result()) == ("held", "canceled")
    assert free.state == "PENDING_APPROVAL"
    assert wallet(client) == ("1000.00", "1000.00")


def _until_somebody_waits() -> None:
    deadline = clock.now() + timedelta(seconds=2)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while clock.now() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return


def test_the_client_cancels_while_finance_approves_and_one_of_them_wins(house):
    client = ana()
    deposited(house, client, "1000.00")
    withdrawal = asks_to_withdraw(client, "400.00")
    answers = at_once(
        lambda: withdrawal_approve(
            withdrawal_id=withdrawal.pk, actor=finance(), reason="all in order"
        ),
        lambda: withdrawal_cancel(
            withdrawal_id=withdrawal.pk, actor=as_client(client), reason="changed my mind"
        ),
    )
    kept, asked = Withdrawal.objects.get(pk=withdrawal.pk), Approval.objects.get()
    assert set(answers) <= {"done", "WRONG_STATE"}
    assert (kept.outcome, str(asked.state)) in {
        ("CANCELED", "WITHDRAWN"),
        ("CANCELED", "APPROVED"),
    }
    assert wallet(client) == ("1000.00", "1000.00")
