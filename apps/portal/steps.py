"""What a client should do next: one thing at a time, decided from plain facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.clients.enums import KycStatus, Lifecycle


class Stage(StrEnum):
    """The way from registration to the first trade; each is done before the next begins."""

    EMAIL = "EMAIL"
    APPLICATION = "APPLICATION"
    VERIFICATION = "VERIFICATION"
    ACCOUNT = "ACCOUNT"
    MONEY = "MONEY"
    TRADE = "TRADE"
    DONE = "DONE"


TITLES: dict[Stage, str | Promise] = {
    Stage.EMAIL: _("Confirm your e-mail"),
    Stage.APPLICATION: _("Application"),
    Stage.VERIFICATION: _("Verification"),
    Stage.ACCOUNT: _("Trading account"),
    Stage.MONEY: _("First deposit"),
    Stage.TRADE: _("First trade"),
}

WITH_US = frozenset({KycStatus.SUBMITTED, KycStatus.MANUAL_REVIEW, KycStatus.ESCALATED})
BACK_TO_CLIENT = frozenset(
    {KycStatus.RESUBMISSION_REQUESTED, KycStatus.INFO_REQUESTED, KycStatus.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is of a client, as plain values."""

    lifecycle: str
    kyc_status: str
    application_open: bool
    accounts_live: int = 0
    accounts_opening: int = 0
    has_wallet_money: bool = False
    has_trading_money: bool = False
    has_traded: bool = False


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, why, and the page that does it (`page` names an address, empty when there is nothing to press)."""

    stage: Stage
    tone: str
    icon: str
    title: str | Promise
    text: str | Promise
    action: str | Promise = ""
    page: str = ""


def stage_of(facts: Facts) -> Stage:
    """The first stage that is not behind the client."""
    if facts.lifecycle == Lifecycle.REGISTERED:
        return Stage.EMAIL
    if facts.application_open:
        return Stage.APPLICATION
    if facts.kyc_status not in (KycStatus.APPROVED, KycStatus.REVIEW_DUE):
        return Stage.VERIFICATION
    if not facts.accounts_live:
        return Stage.ACCOUNT
    if not (facts.has_trading_money or facts.has_traded):
        return Stage.MONEY
    return Stage.DONE if facts.has_traded else Stage.TRADE


def next_step(facts: Facts) -> NextStep | None:
    """The one thing to do now, or nothing for somebody who trades."""
    stage = stage_of(facts)
    if facts.lifecycle in (Lifecycle.REJECTED, Lifecycle.CLOSED, Lifecycle.OFFBOARDING):
        return NextStep(
            stage, "warn", "block", _("This relationship has ended or is ending"),
            _("You can see your history here. Contact support with any question."),
        )  # fmt: skip
    if stage is Stage.VERIFICATION:
        return _verification(facts)
    if stage is Stage.ACCOUNT and facts.accounts_opening:
        return NextStep(
            stage, "info", "hourglass_top", _("Your trading account is being opened"),
            _("Usually within a minute. This page shows it as soon as it is there."),
        )  # fmt: skip
    if stage is Stage.MONEY and facts.has_wallet_money:
        return NextStep(
            stage, "info", "swap_horiz", _("Move money into your trading account"),
            _("What lies in a wallet is not at risk and cannot be traded with until you transfer it."),
            _("Transfer"), "transfer",
        )  # fmt: skip
    return SIMPLE.get(stage)


def _verification(facts: Facts) -> NextStep:
    if facts.kyc_status in WITH_US:
        return NextStep(
            Stage.VERIFICATION, "info", "hourglass_top", _("We are checking your documents"),
            _("You need not do anything. We write to you as soon as somebody has decided."),
            _("See the status"), "verification",
        )  # fmt: skip
    if facts.kyc_status in BACK_TO_CLIENT:
        return NextStep(
            Stage.VERIFICATION, "warn", "upload_file", _("We need something more from you"),
            _("A document could not be accepted. The page says which one and why."),
            _("Upload again"), "verification",
        )  # fmt: skip
    if facts.kyc_status == KycStatus.REJECTED:
        return NextStep(
            Stage.VERIFICATION, "bad", "block", _("We could not verify you"),
            _("Your application was declined. Contact support if you think that this is wrong."),
        )  # fmt: skip
    return NextStep(
        Stage.VERIFICATION, "info", "verified_user", _("Verify your identity"),
        _("Upload the documents that we need for your country. It takes about five minutes."),
        _("Upload documents"), "verification",
    )  # fmt: skip


SIMPLE = {
    Stage.EMAIL: NextStep(
        Stage.EMAIL, "info", "mark_email_unread", _("Confirm your e-mail"),
        _("We have sent you a link. Open it to go on with your application."),
    ),
    Stage.APPLICATION: NextStep(
        Stage.APPLICATION, "info", "assignment", _("Complete your application"),
        _("A few questions about you, as the rules of your country ask."),
        _("Go on"), "application",
    ),
    Stage.ACCOUNT: NextStep(
        Stage.ACCOUNT, "good", "verified", _("You are verified. Open your trading account"),
        _("Choose the type of account, its currency and its leverage."),
        _("Open an account"), "account",
    ),
    Stage.MONEY: NextStep(
        Stage.MONEY, "info", "south_west", _("Make your first deposit"),
        _("Fees, limits and how long it takes are shown before you confirm anything."),
        _("Deposit"), "deposit",
    ),
    Stage.TRADE: NextStep(
        Stage.TRADE, "good", "candlestick_chart", _("Your account is funded"),
        _("See live prices and place your first order."),
        _("Trade"), "trade",
    ),
}  # fmt: skip


def way(facts: Facts) -> list[dict[str, object]]:
    """The stages as a stepper; empty for somebody who has arrived."""
    current = stage_of(facts)
    if current is Stage.DONE:
        return []
    stages = list(TITLES)
    place = stages.index(current)
    return [
        {
            "title": TITLES[stage],
            "state": "done" if number < place else "current" if number == place else "next",
        }
        for number, stage in enumerate(stages)
    ]
