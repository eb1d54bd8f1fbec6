"""The demo's past is made by the services themselves, so the books, the trail and the engine's journal must agree."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from apps.accounts.models import TradingAccount
from apps.clients.models import Client
from apps.core import clock
from apps.core.models import AuditRecord, Delivery, OutboxEvent
from apps.ib.models import Accrual, Partner, TreeEdge
from apps.kyc.models import KycCase
from apps.ledger.models import Entry
from apps.orders.host.journal import verify
from apps.orders.models import Order, Position
from apps.payments.models import Deposit, SuspenseItem, Transfer, Withdrawal
from apps.portal.people import DEMO_PEOPLE
from apps.portal.seed import seed_demo
from apps.portal.seed.cast import CLIENTS, PARTNERS, STAFF, Ending
from apps.rules.compiled import forget_compiled
from apps.rules.models import DecisionLog
from apps.rules.services import decide_again

FRIDAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def _one_of_each() -> tuple:
    """The partners, the two clients of the front door, and one client for every other way a story ends."""
    chosen = [*PARTNERS, *CLIENTS[:2]]
    wanted = {ending for ending in Ending if ending not in (Ending.TRADES, Ending.FUNDED)}
    marks = {
        "deposit:conflict",
        "deposit:review",
        "withdraw:unknown",
        "provision:failed",
        "restricted",
    }
    for player in CLIENTS[2:]:
        if player.ending in wanted or player.marks & marks:
            chosen.append(player)
            wanted.discard(player.ending)
            marks -= player.marks
    return tuple(chosen)


@pytest.fixture
def story(transactional_db, settings, tmp_path):
    settings.HOME = tmp_path
    settings.PRIVATE_STORAGE_ROOT = tmp_path / "documents"
    forget_compiled()
    players = _one_of_each()
    with clock.frozen(FRIDAY):
        seeded = seed_demo(players=players)
        yield players, seeded
    forget_compiled()


@pytest.mark.slow
def test_the_story_is_told_by_the_services_and_everything_agrees(story):
    players, seeded = story
    assert seeded.clients == len(players)
    _everybody_is_here(players)
    _every_ending_is_reached()
    _money_went_its_ways()
    _partners_earned()
    _nothing_is_left_undone()
    _the_books_the_trail_and_the_journal_agree()
    _told_only_once(seeded)


def _everybody_is_here(players) -> None:
    users = get_user_model().objects
    assert users.filter(is_staff=True).count() == len(STAFF)
    for person in DEMO_PEOPLE:
        user = users.get(email=person.email)
        assert user.is_active
        assert user.check_password("demo-Broker-2026")
        assert user.groups.exists()
    assert {client.entity.code for client in Client.objects.select_related("entity")} == {
        "BOS-EU",
        "BOS-INT",
    }


def _every_ending_is_reached() -> None:
    states = set(Client.objects.values_list("lifecycle", "kyc_status"))
    assert states == {
        ("ACTIVE", "APPROVED"),
        ("ONBOARDING", "MANUAL_REVIEW"),
        ("ONBOARDING", "ESCALATED"),
        ("ONBOARDING", "RESUBMISSION_REQUESTED"),
        ("ONBOARDING", "NOT_STARTED"),
        ("REJECTED", "REJECTED"),
        ("REGISTERED", "NOT_STARTED"),
    }
    assert KycCase.objects.filter(state="MANUAL_REVIEW").exists()
    assert TradingAccount.objects.filter(state="PROVISION_FAILED").count() == 1


def _money_went_its_ways() -> None:
    assert Deposit.objects.filter(credit="CREDITED").exists()
    assert Deposit.objects.filter(credit="UNDER_REVIEW").count() == 1
    assert SuspenseItem.objects.filter(state="OPEN").count() == 1
    assert not Transfer.objects.exclude(state="DEST_CREDITED").exists()
    assert Withdrawal.objects.filter(state="PENDING_APPROVAL").exists()
    assert Withdrawal.objects.filter(state="UNKNOWN").count() == 1
    assert Position.objects.open().exists()
    assert Order.objects.filter(status="0").exists()


def _partners_earned() -> None:
    assert set(Partner.objects.values_list("code", flat=True)) == {"ivy", "sub", "subsub"}
    edges = TreeEdge.objects.values_list("parent__code", "child__code")
    assert set(edges) == {("ivy", "sub"), ("sub", "subsub")}
    assert Accrual.objects.filter(partner__code="ivy").exists()


def _nothing_is_left_undone() -> None:
    assert not OutboxEvent.objects.filter(dispatched_at=None).exists()
    unfinished = Delivery.objects.exclude(state="DONE")
    assert list(unfinished.values_list("handler", "last_error")) == []


def _the_books_the_trail_and_the_journal_agree() -> None:
    call_command("verify_ledger", stdout=io.StringIO())
    call_command("verify_audit", stdout=io.StringIO())
    assert verify("main").identical
    for receipt in DecisionLog.objects.order_by("?")[:40]:
        assert decide_again(receipt) == (receipt.outcome, receipt.obligations)


def _told_only_once(seeded) -> None:
    before = AuditRecord.objects.count(), Entry.objects.count(), DecisionLog.objects.count()
    again = seed_demo()
    assert again.clients == 0
    assert (
        AuditRecord.objects.count(),
        Entry.objects.count(),
        DecisionLog.objects.count(),
    ) == before
