"""Every state with every command: what it becomes, or the refusal that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import (
    approval_answer,
    approval_claim,
    approval_escalate,
    approval_execute_emergency,
    approval_expire,
    approval_rebase,
    approval_release,
    approval_return,
    approval_revise,
    approval_take_over,
    approval_vote,
    approval_withdraw,
)
from apps.core.errors import DomainError
from apps.core.models import Approval
from tests.core.approving import (
    EMERGENCY,
    FIRST,
    MAKER,
    SECOND,
    THIRD,
    VOTE,
    ask,
    everything,
    office,
    paying,
    staff,
)

pytestmark = pytest.mark.django_db
BOSS = staff(9009, EMERGENCY, VOTE)
BEAT = Actor.system("beat")


@pytest.fixture(autouse=True)
def world():
    with paying() as made, office(MAKER, FIRST, SECOND, THIRD):
        yield made


def vote(approval: Approval, actor: Actor, verdict: str = "APPROVE") -> Approval:
    return approval_vote(approval_id=approval.pk, actor=actor, verdict=verdict, reason="looked")


def in_state(state: str) -> Approval:
    approval = ask()
    Approval.objects.filter(pk=approval.pk).update(emergency_allowed=True)
    match state:
        case "RETURNED":
            approval_return(approval_id=approval.pk, actor=FIRST, reason="which account?")
        case "APPROVED":
            vote(approval, FIRST)
            vote(approval, SECOND)
        case "REJECTED":
            vote(approval, FIRST, "REJECT")
        case "WITHDRAWN":
            approval_withdraw(approval_id=approval.pk, actor=MAKER, reason="no more")
        case "EXPIRED":
            with clock.frozen(clock.now() + timedelta(days=4)):
                approval_expire(approval_id=approval.pk, actor=BEAT)
        case "TAKEN":
            approval_claim(approval_id=approval.pk, actor=FIRST)
    return Approval.objects.get(pk=approval.pk)


def _do(service: Callable[..., Any], actor: Actor, **values: Any) -> Callable[[Approval], Any]:
    return lambda approval: service(
        approval_id=approval.pk, actor=actor, **({"reason": "because"} | values)
    )


def _expire(approval: Approval) -> Any:
    with clock.frozen(clock.now() + timedelta(days=4)):
        return approval_expire(approval_id=approval.pk, actor=BEAT)


def _escalate(approval: Approval) -> Any:
    with clock.frozen(clock.now() + timedelta(hours=30)):
        return approval_escalate(approval_id=approval.pk, actor=BEAT)


COMMANDS: dict[str, Callable[[Approval], Any]] = {
    "approve": _do(approval_vote, THIRD, verdict="APPROVE"),
    "reject": _do(approval_vote, THIRD, verdict="REJECT"),
    "claim": _do(approval_claim, THIRD),
    "take over": _do(approval_take_over, THIRD),
    "release": _do(approval_release, FIRST),
    "return": _do(approval_return, THIRD),
    "answer": _do(approval_answer, MAKER),
    "revise": _do(approval_revise, MAKER, payload={"amount": "90"}),
    "rebase": _do(approval_rebase, MAKER),
    "withdraw": _do(approval_withdraw, MAKER),
    "emergency": _do(approval_execute_emergency, BOSS),
    "expire": _expire,
    "escalate": _escalate,
}
ENDED = dict.fromkeys(COMMANDS, "WRONG_STATE") | {"expire": "nothing", "escalate": "nothing"}
TABLE: dict[str, dict[str, str]] = {
    "PENDING": {
        "approve": "PENDING", "reject": "REJECTED", "claim": "PENDING", "take over": "WRONG_STATE",
        "release": "NOT_ALLOWED", "return": "RETURNED", "answer": "WRONG_STATE", "revise": "PENDING",
        "rebase": "PENDING", "withdraw": "WITHDRAWN", "emergency": "APPROVED", "expire": "EXPIRED",
        "escalate": "PENDING",
    },
    "TAKEN": {
        "approve": "CLAIMED", "reject": "CLAIMED", "claim": "CLAIMED", "take over": "PENDING",
        "release": "PENDING", "return": "CLAIMED", "answer": "WRONG_STATE", "revise": "PENDING",
        "rebase": "PENDING", "withdraw": "WITHDRAWN", "emergency": "APPROVED", "expire": "EXPIRED",
        "escalate": "PENDING",
    },
    "RETURNED": {
        "approve": "WRONG_STATE", "reject": "WRONG_STATE", "claim": "WRONG_STATE",
        "take over": "WRONG_STATE", "release": "WRONG_STATE", "return": "WRONG_STATE",
        "answer": "PENDING", "revise": "PENDING", "rebase": "PENDING", "withdraw": "WITHDRAWN",
        "emergency": "APPROVED", "expire": "EXPIRED", "escalate": "nothing",
    },
    "APPROVED": ENDED, "REJECTED": ENDED, "EXPIRED": ENDED, "WITHDRAWN": ENDED,
}  # fmt: skip


def test_the_table_knows_every_state_and_every_command():
    assert set(TABLE) == {*Approval.State.values, "TAKEN"}
    assert all(set(row) == set(COMMANDS) for row in TABLE.values())


@pytest.mark.parametrize(
    ("state", "name", "expected"),
    [(s, c, e) for s, row in TABLE.items() for c, e in row.items()],
)
def test_every_state_with_every_command(state, name, expected):
    approval = in_state(state)
    before = everything()
    if expected not in {*Approval.State.values, "nothing"}:
        with pytest.raises(DomainError) as refused:
            COMMANDS[name](approval)
        assert refused.value.code == expected
        assert everything() == before
        return
    answer = COMMANDS[name](approval)
    if expected == "nothing":
        assert answer is False
        assert everything() == before
    else:
        assert Approval.objects.get(pk=approval.pk).state == expected
        assert everything() != before
