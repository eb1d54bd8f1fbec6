from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.core import clock
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.approvals import (
    EFFECTS,
    Effect,
    approval_request,
    approval_vote,
    approval_withdraw,
    approvals_expire,
    approves,
)
from apps.core.commands import command
from apps.core.errors import (
    AlreadyVoted,
    DomainError,
    NotAllowed,
    NotVisible,
    SelfApproval,
    StaleBase,
    WrongState,
)
from apps.core.models import Approval, ApprovalVote, AuditRecord, Mail
from apps.core.permissions import VOTE_APPROVAL
from apps.core.tasks import approvals_expire as approvals_expire_task


def staff(number: int, *permissions: str, scope: Scope | None = None) -> Actor:
    return Actor(
        ActorKind.STAFF,
        f"user:{number}",
        f"person {number}",
        permissions=frozenset(permissions or {VOTE_APPROVAL.code}),
        scope=scope or Scope(ScopeLevel.ALL),
    )


MAKER, FIRST, SECOND = staff(1), staff(2), staff(3)


@pytest.fixture(autouse=True)
def effect():
    @approves("test.pay", on_reject=lambda approval, *, actor: _mail("rejected"))
    def pay(approval: Approval, *, actor: Actor) -> None:
        if approval.payload["amount"] == "broken":
            raise DomainError
        _mail(approval.payload["amount"])

    yield
    EFFECTS.pop("test.pay")


def _mail(to: str) -> None:
    Mail.objects.create(to=to, subject="s", body="b")


@command
def ask(*, amount: str = "100", required: int = 2, entity: str = "") -> Approval:
    return approval_request(
        action="test.pay", title="Pay", payload={"amount": amount}, permission=VOTE_APPROVAL,
        actor=MAKER, reason="due", required=required, entity=entity,
    )  # fmt: skip


def vote(approval: Approval, actor: Actor, verdict: str = "APPROVE") -> Approval:
    return approval_vote(
        approval_id=approval.id, actor=actor, verdict=verdict, reason="looked at it"
    )


def nothing_happened(approval: Approval, votes: int = 0) -> None:
    assert Approval.objects.get(pk=approval.pk).state == "PENDING"
    assert ApprovalVote.objects.count() == votes
    assert Mail.objects.count() == 0


@pytest.mark.django_db
def test_the_change_runs_once_with_the_last_vote():
    approval = ask()
    assert vote(approval, FIRST).state == "PENDING"
    assert Mail.objects.count() == 0
    assert vote(approval, SECOND).state == "APPROVED"
    assert Mail.objects.get().to == "100"
    with pytest.raises(WrongState):
        vote(approval, staff(4))
    assert Mail.objects.count() == 1
    assert list(AuditRecord.objects.order_by("id").values_list("action", flat=True)) == [
        "approval.request", "approval.vote", "approval.approve",
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_maker_cannot_approve_and_nothing_changes():
    approval = ask()
    with pytest.raises(SelfApproval):
        vote(approval, MAKER)
    nothing_happened(approval)


@pytest.mark.django_db
def test_nobody_votes_twice():
    approval = ask()
    vote(approval, FIRST)
    with pytest.raises(AlreadyVoted):
        vote(approval, FIRST)
    nothing_happened(approval, votes=1)


@pytest.mark.django_db
def test_without_the_permission_nobody_votes():
    approval = ask()
    with pytest.raises(NotAllowed):
        vote(approval, staff(5, "core.view_approval"))
    nothing_happened(approval)


@pytest.mark.django_db
def test_out_of_scope_reads_as_absent():
    approval = ask(entity="BOS-EU")
    elsewhere = staff(
        6, VOTE_APPROVAL.code, scope=Scope(ScopeLevel.ENTITY, entities=frozenset({"BOS-INT"}))
    )
    with pytest.raises(NotVisible):
        vote(approval, elsewhere)
    nothing_happened(approval)


@pytest.mark.django_db
def test_one_rejection_ends_it():
    approval = ask()
    vote(approval, FIRST)
    assert vote(approval, SECOND, "REJECT").state == "REJECTED"
    assert Mail.objects.get().to == "rejected"


@pytest.mark.django_db
def test_a_change_that_is_refused_keeps_no_vote():
    approval = ask(amount="broken", required=1)
    with pytest.raises(DomainError):
        vote(approval, FIRST)
    nothing_happened(approval)


@pytest.mark.django_db
def test_a_payload_that_was_changed_after_the_request_is_refused():
    approval, swap = ask(), 'UPDATE core_approval SET payload = \'{"amount": "9999"}\''
    with connection.cursor() as cursor:
        with (
            pytest.raises(IntegrityError, match="another change is a new round"),
            transaction.atomic(),
        ):
            cursor.execute(swap)
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(swap)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    with pytest.raises(StaleBase):
        vote(approval, FIRST)
    nothing_happened(approval)


@pytest.mark.django_db
def test_what_nobody_decided_expires():
    approval = ask()
    with clock.frozen(clock.now() + timedelta(days=4)):
        with pytest.raises(WrongState):
            vote(approval, FIRST)
        nothing_happened(approval)
        assert approvals_expire(actor=Actor.system("beat")) == 1
    assert Approval.objects.get().state == "EXPIRED"


@pytest.mark.django_db
def test_only_the_maker_takes_it_back():
    approval = ask()
    with pytest.raises(NotAllowed):
        approval_withdraw(approval_id=approval.id, actor=FIRST, reason="no")
    nothing_happened(approval)
    assert (
        approval_withdraw(approval_id=approval.id, actor=MAKER, reason="changed my mind").state
        == "WITHDRAWN"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("maker", "voter"),
    [("user:1", "user:1"), ("user:9", "user:1")],
    ids=["own vote", "false maker"],
)
def test_the_database_itself_refuses_the_makers_vote(maker, voter):
    approval = ask()
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        ApprovalVote.objects.create(
            approval=approval, maker_id=maker, voter_id=voter, authority=voter, voter_label="x",
            verdict="APPROVE", reason="r", payload_hash=approval.payload_hash,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    nothing_happened(approval)


@pytest.mark.django_db
def test_one_that_cannot_be_closed_does_not_keep_the_others_open():
    """What is held for an approval that nobody gave is set free, also when another one fails."""
    stuck, fine = ask(), ask()
    real = EFFECTS["test.pay"]

    def on_reject(approval: Approval, *, actor: Actor) -> None:
        if approval.pk == stuck.pk:
            raise WrongState(state="odd", command="closing it")
        _mail("rejected")

    EFFECTS["test.pay"] = Effect(real.execute, on_reject)
    with clock.frozen(clock.now() + timedelta(days=4)):
        assert approvals_expire(actor=Actor.system("beat")) == 1
    states = {row.pk: row.state for row in Approval.objects.all()}
    assert states == {stuck.pk: "PENDING", fine.pk: "EXPIRED"}
    assert Mail.objects.count() == 1


@pytest.mark.django_db
def test_the_beat_closes_what_nobody_decided():
    ask()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "core.approvals_expire" in scheduled
    with clock.frozen(clock.now() + timedelta(days=4)):
        approvals_expire_task()
    assert Approval.objects.get().state == "EXPIRED"
