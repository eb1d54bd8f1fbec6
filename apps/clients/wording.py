"""Sentences for people: why an answer will not do, what to do next, what is not possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.clients.enums import KycStatus, Lifecycle, OnboardingState, RestrictionKind
from apps.clients.models import Client
from apps.clients.onboarding import answers

_TEXTS: dict[str, Any] = {
    answers.REQUIRED: _("Please answer this."),
    answers.TOO_LONG: _("At most {limit} characters."),
    answers.NOT_TEXT: _("Please use letters, digits and punctuation."),
    answers.NOT_A_DATE: _("Please write a date as year-month-day."),
    answers.IN_FUTURE: _("This date lies in the future."),
    answers.TOO_OLD: _("Please check the year."),
    answers.TOO_YOUNG: _("You must be {age} or older."),
    answers.NOT_AN_OPTION: _("Please choose one of the answers."),
    answers.NOT_A_COUNTRY: _("Please choose a country."),
    answers.NOT_A_PHONE: _("Please write a phone number with its country code."),
    answers.NOT_A_TAX_ID: _("This is not a tax number of that country; check each digit."),
    answers.NOT_YES_OR_NO: _("Please choose yes or no."),
    answers.MUST_ACCEPT: _("You can go on only when you accept this."),
}


def refusal_text(refusal: answers.Refusal) -> str:
    """Why an answer will not do, in words."""
    return str(_TEXTS[refusal.code]).format(**refusal.values)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a client should do now; `page` names an address of the portal, empty when there is
    nothing to do but wait."""

    title: Any
    text: Any
    page: str = ""
    action: Any = ""
    tone: str = "info"


_BY_KYC = {
    KycStatus.NOT_STARTED: NextStep(
        _("Show us who you are"),
        _("We need a document with your photo and one with your address."),
        "portal:kyc-status",
        _("Send documents"),
    ),
    KycStatus.RESUBMISSION_REQUESTED: NextStep(
        _("A document must be sent again"),
        _("We could not accept everything. You see what and why on the next page."),
        "portal:kyc-status",
        _("See what is needed"),
        "warn",
    ),
    KycStatus.INFO_REQUESTED: NextStep(
        _("We have a question"),
        _("Something is missing before we can decide."),
        "portal:kyc-status",
        _("See what is needed"),
        "warn",
    ),
    KycStatus.EXPIRED: NextStep(
        _("A document has expired"),
        _("Please send a valid one."),
        "portal:kyc-status",
        _("Send documents"),
        "warn",
    ),
}
_WITH_US = NextStep(
    _("Your documents are with us"),
    _("Somebody looks at them, usually within one working day. We will write to you."),
)


def next_step(client: Client) -> NextStep | None:
    """The one thing to do next, or None when everything is open."""
    if client.lifecycle == Lifecycle.REJECTED:
        return NextStep(
            _("We cannot offer you our services"),
            _("Your application has ended. Our support answers questions."),
            tone="bad",
        )
    if client.lifecycle == Lifecycle.ONBOARDING and not _answered(client):
        return NextStep(
            _("Answer the questions"),
            _("You can stop at any time; everything you answered is kept."),
            "portal:clients-onboarding",
            _("Go on"),
        )
    if client.verified:
        return None
    if client.kyc_status == KycStatus.IN_PROGRESS:
        return _BY_KYC[KycStatus.NOT_STARTED]
    return _BY_KYC.get(KycStatus(client.kyc_status), _WITH_US)


def _answered(client: Client) -> bool:
    session = getattr(client, "onboarding", None)
    return session is not None and session.state == OnboardingState.SUBMITTED


_NOTICES = {
    RestrictionKind.NO_DEPOSIT: _("Deposits are not possible at the moment."),
    RestrictionKind.NO_WITHDRAWAL: _("Withdrawals are not possible at the moment."),
    RestrictionKind.NO_TRANSFER: _("Transfers are not possible at the moment."),
    RestrictionKind.NO_NEW_ACCOUNT: _("New trading accounts are not possible at the moment."),
    RestrictionKind.CLOSE_ONLY: _("You can close positions but not open new ones."),
    RestrictionKind.NO_TRADING: _("Trading is not possible at the moment."),
}


def restriction_notices(kinds: set[str]) -> list[Any]:
    """What a client is told of restrictions: the effect, never the reason, which may be secret by
    law (tipping-off)."""
    return [text for kind, text in _NOTICES.items() if kind.value in kinds]
