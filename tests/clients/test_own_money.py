"""Who is a client of the house as a private person decides on nothing that this client gains from."""

from __future__ import annotations

import pytest

from apps.clients.models import Client, ClientLogin
from apps.core.actor import Actor
from apps.core.approvals import approval_vote
from apps.core.approvals.errors import Beneficiary
from apps.core.approvals.queues import decidable
from apps.core.approvals.standing import eligible
from apps.users.models import User
from apps.users.roles import load_roles
from apps.users.selectors import actor_for
from tests.accounts.world import client_of
from tests.core.approving import ask, everything, paying
from tests.users.people import hire

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(db):
    load_roles()
    with paying():
        yield


def by_login(person: User, client: Client) -> None:
    """A login that was theirs once counts too."""
    login = ClientLogin(user=person, client=client, active=False)
    login.save_as(Actor.system("test"), "test")


def by_mailbox(person: User, client: Client) -> None:
    """The client signs in elsewhere, with an address that ends in the same mailbox."""
    client.person.email = person.email.replace("@", "+broker@").upper()
    client.person.save_as(Actor.system("test"), "test")


@pytest.mark.parametrize("known", [by_login, by_mailbox])
def test_nobody_agrees_to_what_their_own_client_gains(known):
    fatima, felix, client = hire("fatima", "finance"), hire("felix", "finance"), client_of()
    known(fatima, client)
    approval = ask(required=1, beneficiary_ids=[client.pk])
    seen = actor_for(fatima)
    assert (seen.client_ids, decidable(seen)) == (frozenset(), [])
    assert actor_for(fatima).id not in {person.id for person in eligible(approval).people}
    before = everything()
    with pytest.raises(Beneficiary):
        approval_vote(approval_id=approval.pk, actor=seen, verdict="APPROVE", reason="mine")
    assert everything() == before

    other = actor_for(felix)
    assert decidable(other) == [approval]
    approval_vote(approval_id=approval.pk, actor=other, verdict="APPROVE", reason="checked")
