"""One next step at a time, from registration to the first trade."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.clients.enums import KycStatus, Lifecycle
from apps.portal.steps import Facts, Stage, next_step, stage_of, way

REGISTERED = Facts(Lifecycle.REGISTERED, KycStatus.NOT_STARTED, application_open=True)
APPLYING = replace(REGISTERED, lifecycle=Lifecycle.ONBOARDING)
APPLIED = replace(APPLYING, application_open=False)
VERIFIED = replace(APPLIED, lifecycle=Lifecycle.ACTIVE, kyc_status=KycStatus.APPROVED)
OPENED = replace(VERIFIED, accounts_live=1)
FUNDED = replace(OPENED, has_trading_money=True)
TRADING = replace(FUNDED, has_traded=True)


@pytest.mark.parametrize(
    ("facts", "stage", "page"),
    [
        (REGISTERED, Stage.EMAIL, ""),
        (APPLYING, Stage.APPLICATION, "application"),
        (APPLIED, Stage.VERIFICATION, "verification"),
        (VERIFIED, Stage.ACCOUNT, "account"),
        (replace(VERIFIED, accounts_opening=1), Stage.ACCOUNT, ""),
        (OPENED, Stage.MONEY, "deposit"),
        (replace(OPENED, has_wallet_money=True), Stage.MONEY, "transfer"),
        (FUNDED, Stage.TRADE, "trade"),
    ],
)
def test_each_stage_has_one_thing_to_do(facts: Facts, stage: Stage, page: str) -> None:
    step = next_step(facts)

    assert stage_of(facts) == stage
    assert step is not None
    assert (step.stage, step.page) == (stage, page)


def test_somebody_who_trades_is_left_alone() -> None:
    assert next_step(TRADING) is None
    assert way(TRADING) == []


def test_money_lost_in_trading_does_not_send_a_client_back_to_the_beginning() -> None:
    assert next_step(replace(TRADING, has_trading_money=False)) is None


@pytest.mark.parametrize(
    "status", [KycStatus.SUBMITTED, KycStatus.MANUAL_REVIEW, KycStatus.ESCALATED]
)
def test_an_escalation_reads_like_any_review(status: KycStatus) -> None:
    """Tipping off: a client never learns from the portal that a case was escalated."""
    assert next_step(replace(APPLIED, kyc_status=status)) == next_step(
        replace(APPLIED, kyc_status=KycStatus.SUBMITTED)
    )


@pytest.mark.parametrize("lifecycle", [Lifecycle.REJECTED, Lifecycle.CLOSED, Lifecycle.OFFBOARDING])
def test_a_relationship_that_ends_offers_nothing_to_press(lifecycle: Lifecycle) -> None:
    step = next_step(replace(FUNDED, lifecycle=lifecycle))

    assert step is not None
    assert step.page == ""


def test_the_way_shows_exactly_one_current_stage() -> None:
    states = [part["state"] for part in way(OPENED)]

    assert states == ["done", "done", "done", "done", "current", "next"]
