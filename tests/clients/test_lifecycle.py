"""Every command in every state: the table is the promise."""

from __future__ import annotations

import pytest

from apps.clients.enums import KycStatus, Lifecycle
from apps.clients.errors import LifecycleForbids, NotVerified, OnboardingIncomplete
from apps.clients.models import Client
from apps.clients.services import (
    client_activate,
    client_close,
    client_make_dormant,
    client_offboard,
    client_owner_change,
    client_reject,
    client_verification_set,
    client_wake,
)
from apps.core.errors import InvalidInput, NotAllowed, NotVisible
from apps.core.models import AuditRecord, OutboxEvent

from . import world

pytestmark = pytest.mark.usefixtures("house")

L = Lifecycle
TABLE = {
    client_activate: {L.ONBOARDING: L.ACTIVE},
    client_reject: {L.REGISTERED: L.REJECTED, L.ONBOARDING: L.REJECTED},
    client_make_dormant: {L.ACTIVE: L.DORMANT},
    client_wake: {L.DORMANT: L.ACTIVE},
    client_offboard: {L.ACTIVE: L.OFFBOARDING, L.DORMANT: L.OFFBOARDING},
    client_close: {L.OFFBOARDING: L.CLOSED},
}


def ready_client() -> Client:
    """Lacks nothing to be active."""
    client = world.applicant()
    client_verification_set(
        client_id=client.id, status="APPROVED", level=2, actor=world.SYSTEM, reason="test"
    )
    return client


def put(client: Client, lifecycle: str) -> None:
    Client.objects.filter(pk=client.pk).update(lifecycle=lifecycle)


def snapshot(client: Client):
    row = Client.objects.filter(pk=client.pk).values().get()
    return row, OutboxEvent.objects.count(), AuditRecord.objects.count()


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.__name__)
def test_each_command_in_each_state(command):
    client = ready_client()
    for state in Lifecycle:
        put(client, state)
        before = snapshot(client)
        target = TABLE[command].get(state)
        if target is None:
            with pytest.raises(LifecycleForbids):
                command(client_id=client.id, actor=world.SYSTEM, reason="test")
            assert snapshot(client) == before
        else:
            command(client_id=client.id, actor=world.SYSTEM, reason="test")
            assert world.again(client).lifecycle == target


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.__name__)
def test_a_command_needs_its_permission_and_its_scope(command):
    client = ready_client()
    put(client, next(iter(TABLE[command])))
    before = snapshot(client)
    for actor, error in [
        (world.staff("sales"), NotAllowed),
        (world.acting(client), NotAllowed),
        (world.anonymous(), NotVisible),
    ]:
        with pytest.raises(error):
            command(client_id=client.id, actor=actor, reason="test")
    assert snapshot(client) == before


def test_activation_says_what_is_missing():
    client = world.confirmed()
    with pytest.raises(OnboardingIncomplete):
        client_activate(client_id=client.id, actor=world.staff("compliance"), reason="ok")
    client = world.applicant(email="two@x.example", phone="")
    before = snapshot(client)
    with pytest.raises(NotVerified):
        client_activate(client_id=client.id, actor=world.staff("compliance"), reason="ok")
    assert snapshot(client) == before


def test_who_was_verified_first_becomes_active_when_the_application_is_in():
    client = world.answered()
    client_verification_set(
        client_id=client.id, status="APPROVED", level=2, actor=world.SYSTEM, reason="test"
    )
    assert world.again(client).lifecycle == "ONBOARDING"
    from apps.clients.services import onboarding_submit

    onboarding_submit(client_id=client.id, actor=world.acting(client))
    assert world.again(client).lifecycle == "ACTIVE"


@pytest.mark.parametrize("status", KycStatus.values)
def test_verification_is_an_axis_of_its_own(status):
    client = world.confirmed()
    client_verification_set(
        client_id=client.id, status=status, level=1, actor=world.SYSTEM, reason="test"
    )
    client = world.again(client)
    assert (client.lifecycle, client.kyc_status, client.kyc_level) == ("ONBOARDING", status, 1)


def test_an_unknown_verification_is_refused():
    client = world.confirmed()
    before = snapshot(client)
    with pytest.raises(InvalidInput):
        client_verification_set(
            client_id=client.id, status="BLESSED", level=1, actor=world.SYSTEM, reason="test"
        )
    assert snapshot(client) == before


def test_a_new_owner_is_staff_and_the_history_keeps_the_old_one():
    client = world.confirmed()
    operations, sales = world.staff("operations"), world.staff_user("sales")
    client_owner_change(
        client_id=client.id, owner_id=sales.pk, actor=operations, reason="speaks German"
    )
    before = snapshot(client)
    with pytest.raises(InvalidInput):
        client_owner_change(
            client_id=client.id,
            owner_id=world.user_of(client).pk,
            actor=operations,
            reason="no staff",
        )
    assert snapshot(client) == before
    owners = list(Client.history.filter(id=client.id).values_list("owner_id", flat=True)[:2])
    assert owners == [sales.pk, None]
