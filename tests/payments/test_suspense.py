"""Money of nobody leaves suspense only with two people."""

from __future__ import annotations

import pytest

from apps.core.approvals import approval_vote
from apps.core.errors import NotAllowed, SelfApproval, WrongState
from apps.core.models import Approval
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import total_of
from apps.payments.models import SuspenseItem
from apps.payments.permissions import RESOLVE_SUSPENSE
from apps.payments.services.suspense import suspense_propose_allocation, suspense_propose_return
from tests.payments.world import (
    ana,
    asks_to_deposit,
    books_are_sound,
    finance,
    fresh,
    traces,
    usd,
    wallet,
)


@pytest.fixture
def client(house):
    return ana()


@pytest.fixture
def item(house, client):
    """Two hundred came where two hundred and fifty were asked for."""
    deposit = asks_to_deposit(client, "250.00")
    house.fault("amount", amount="200.00")
    house.pays(deposit)
    house.knocks()
    return SuspenseItem.objects.get()


def votes(who: int, verdict: str = "APPROVE") -> None:
    approval = Approval.objects.get(state="PENDING")
    approval_vote(approval_id=approval.pk, actor=finance(who), verdict=verdict, reason="seen")


def test_one_proposes_another_agrees_and_the_client_has_it(item, client):
    suspense_propose_allocation(
        item_id=item.pk, client_id=client.pk, actor=finance(1), reason="bank confirmed"
    )
    assert (fresh(item).state, wallet(client)) == ("PENDING_APPROVAL", ("0.00", "0.00"))
    assert Approval.objects.get(state="PENDING").beneficiary_ids == [str(client.pk)]
    before = traces()
    with pytest.raises(SelfApproval):
        votes(1)
    assert traces() == before

    votes(2)

    assert (fresh(item).state, wallet(client)) == ("ALLOCATED", ("200.00", "200.00"))
    assert total_of(AccountKind.SUSPENSE_UNALLOCATED, "USD") == usd("0.00")
    assert books_are_sound()


def test_it_goes_back_to_the_payer(item, client, house):
    suspense_propose_return(item_id=item.pk, actor=finance(1), reason="payer asked")
    votes(2)
    house.knocks()

    assert house.provider.store.find("refund", f"refund:{item.pk}")[0]["amount"] == "200.00"

    assert (fresh(item).state, wallet(client)) == ("RETURNED", ("0.00", "0.00"))
    assert total_of(AccountKind.PSP_CLEARING, "USD") == usd("0.00")
    assert books_are_sound()


def test_a_no_opens_it_again_and_moves_nothing(item):
    suspense_propose_return(item_id=item.pk, actor=finance(1), reason="payer asked")
    votes(2, "REJECT")

    assert fresh(item).state == "OPEN"
    assert total_of(AccountKind.SUSPENSE_UNALLOCATED, "USD") == usd("200.00")


def test_it_is_proposed_once_and_only_by_those_who_may(item, client):
    with pytest.raises(NotAllowed):
        suspense_propose_return(item_id=item.pk, actor=finance(3, RESOLVE_SUSPENSE), reason="no")
    suspense_propose_return(item_id=item.pk, actor=finance(1), reason="payer asked")
    before = traces()
    with pytest.raises(WrongState):
        suspense_propose_allocation(
            item_id=item.pk, client_id=client.pk, actor=finance(2), reason="again"
        )
    assert traces() == before
