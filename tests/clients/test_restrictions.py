"""The third axis: stackable, each with its own end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.clients.enums import LiftBy, RestrictionKind
from apps.clients.errors import (
    ExpiryInThePast,
    ReasonRequired,
    Restricted,
    RestrictionExists,
    RestrictionNotActive,
    RestrictionNotYours,
)
from apps.clients.models import Restriction
from apps.clients.selectors import client_require_free_of, client_restrictions
from apps.clients.services import restriction_add, restriction_lift, restrictions_expire
from apps.core import clock
from apps.core.actor import ScopeLevel
from apps.core.errors import InvalidInput, NotAllowed, NotVisible
from apps.core.models import OutboxEvent

from . import world

pytestmark = pytest.mark.usefixtures("house")


def restrict(client, kind="no_withdrawal", **fields):
    fields = {"reason": "a third party's card", "actor": world.staff("compliance"), **fields}
    return restriction_add(client_id=client.id, kind=kind, **fields)


def lifted_events():
    rows = OutboxEvent.objects.filter(name="clients.RestrictionLifted").order_by("seq")
    return [row.payload["still_restricted"] for row in rows]


def trace():
    return list(Restriction.objects.order_by("pk").values()), OutboxEvent.objects.count()


def test_lifting_one_of_three_frees_nothing():
    client = world.confirmed()
    stack = [restrict(client, reason=f"reason {n}") for n in range(3)]
    compliance = world.staff("compliance")
    for n, restriction in enumerate(stack):
        assert client_restrictions(client.id) == {"no_withdrawal"}
        with pytest.raises(Restricted):
            client_require_free_of(client, "no_withdrawal", "no_deposit")
        restriction_lift(restriction_id=restriction.id, actor=compliance, reason=f"cleared {n}")
    assert client_restrictions(client.id) == set()
    client_require_free_of(client, *RestrictionKind.values)
    assert lifted_events() == [True, True, False]


def test_one_case_restricts_in_one_way_once_and_again_after_it_was_lifted():
    client = world.confirmed()
    first = restrict(client, source="PAYMENTS", source_ref="withdrawal:1")
    before = trace()
    with pytest.raises(RestrictionExists):
        restrict(client, source="PAYMENTS", source_ref="withdrawal:1")
    assert trace() == before
    restriction_lift(restriction_id=first.id, actor=world.SYSTEM, reason="done")
    restrict(client, source="PAYMENTS", source_ref="withdrawal:1")
    assert client_restrictions(client.id) == {"no_withdrawal"}


def test_the_database_itself_refuses_the_second_row_of_a_case():
    client = world.confirmed()
    first = restrict(client, source="RULE", source_ref="decision:1")
    twin = Restriction(
        client=client, kind=first.kind, source="RULE", source_ref="decision:1", reason="x",
        added_by="race",
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


def test_time_ends_a_restriction_at_its_instant_and_the_record_follows():
    client = world.confirmed()
    restrict(client, expires_at=world.AT + timedelta(hours=1))
    with clock.frozen(world.AT + timedelta(minutes=59, seconds=59)):
        assert client_restrictions(client.id) == {"no_withdrawal"}
        assert restrictions_expire(actor=world.SYSTEM) == 0
    with clock.frozen(world.AT + timedelta(hours=1)):
        assert client_restrictions(client.id) == set()
        assert restrictions_expire(actor=world.SYSTEM) == 1
        assert restrictions_expire(actor=world.SYSTEM) == 0
    assert lifted_events() == [False]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"reason": "  "}, ReasonRequired),
        ({"kind": "no_fun"}, InvalidInput),
        ({"source": "RUMOUR"}, InvalidInput),
        ({"lift_by": "NOBODY"}, InvalidInput),
        ({"expires_at": world.AT}, ExpiryInThePast),
    ],
)
def test_a_malformed_restriction_is_refused(fields, error):
    client = world.confirmed()
    before = trace()
    with pytest.raises(error):
        restrict(client, **fields)
    assert trace() == before


LIFTERS = {
    LiftBy.STAFF: {"compliance", "mlro", "finance", "risk", "operations", "admin"},
    LiftBy.COMPLIANCE: {"compliance", "mlro", "admin"},
    LiftBy.MLRO: {"mlro", "admin"},
    LiftBy.FINANCE: {"finance", "admin"},
    LiftBy.RISK: {"risk", "admin"},
    LiftBy.SYSTEM: set(),
}


@pytest.mark.parametrize("lift_by", LiftBy.values)
def test_only_those_named_may_lift(lift_by):
    client = world.confirmed()
    roles = ["compliance", "mlro", "finance", "risk", "operations", "admin", "sales", "support"]
    able = set()
    for role in roles:
        restriction = restrict(client, lift_by=lift_by)
        before = trace()
        try:
            restriction_lift(
                restriction_id=restriction.id, actor=world.staff(role), reason="resolved"
            )
        except (RestrictionNotYours, NotAllowed):
            assert trace() == before
        else:
            able.add(role)
    assert able == LIFTERS[LiftBy(lift_by)]


def test_a_restriction_is_lifted_once():
    client = world.confirmed()
    restriction = restrict(client)
    restriction_lift(restriction_id=restriction.id, actor=world.SYSTEM, reason="resolved")
    before = trace()
    with pytest.raises(RestrictionNotActive):
        restriction_lift(restriction_id=restriction.id, actor=world.SYSTEM, reason="again")
    assert trace() == before


def test_the_client_and_staff_out_of_scope_cannot_touch_it():
    client = world.confirmed()
    restriction = restrict(client)
    elsewhere = world.staff(
        "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="int@house.example"
    )
    before = trace()
    for actor, error in [
        (elsewhere, NotVisible),
        (world.acting(client), NotAllowed),
        (world.anonymous(), NotVisible),
    ]:
        with pytest.raises(error):
            restriction_lift(restriction_id=restriction.id, actor=actor, reason="please")
        with pytest.raises(error):
            restriction_add(client_id=client.id, kind="no_login", reason="x", actor=actor)
    assert trace() == before
