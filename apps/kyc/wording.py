"""Sentences for people: where a case stands, what a check found."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.clients.models import Client
from apps.kyc.enums import CaseState
from apps.kyc.models import KycCase

CHECKS: dict[str, Any] = {
    "ADULT": _("Of age"),
    "PEP_DECLARED": _("Declared no public office"),
    "US_PERSON": _("Declared not to be a US person"),
    "DUPLICATE_PERSON": _("No other client shares mailbox or phone"),
    "TAX_RESIDENCE": _("Pays tax where they live"),
    "SAME_FILE": _("The file was not sent for another client"),
    "SAME_NUMBER": _("The number was not shown by another client"),
    "READABLE": _("Large enough to read"),
    "VALID": _("Within its validity"),
    "ISSUING_COUNTRY": _("Issued where the client lives or belongs"),
    "RECENT": _("Not older than three months"),
}

FACTORS: dict[str, Any] = {
    "country": _("Riskiest country"),
    "pep": _("Politically exposed"),
    "us_person": _("US person"),
    "no_tax_id": _("No tax number"),
    "under_25": _("Younger than 25"),
    "employment": _("Employment"),
    "source_of_funds": _("Source of funds"),
    "planned_deposits": _("Planned deposits, thousands"),
    "income_below_plan": _("Plans more than the income can feed"),
    "channel": _("Channel"),
    "grey_list": _("FATF grey list: at least medium"),
    "black_list": _("FATF black list: prohibited"),
}

_SENT = {
    CaseState.SUBMITTED,
    CaseState.AUTO_CHECK,
    CaseState.MANUAL_REVIEW,
    CaseState.ESCALATED,
    CaseState.APPROVED,
    CaseState.REVIEW_DUE,
    CaseState.REJECTED,
}


def client_steps(case: KycCase | None, client: Client) -> list[dict[str, Any]]:
    """The way to a verified identity as the client sees it. An escalated case looks like any other
    that is with us."""
    state = CaseState(case.state) if case else CaseState.NOT_STARTED
    decided = state in (CaseState.APPROVED, CaseState.REVIEW_DUE, CaseState.REJECTED)
    sent = state in _SENT
    return [
        {
            "title": _("Documents sent"),
            "at": case.submitted_at if case and sent else None,
            "state": "done" if sent else "current",
        },
        {
            "title": _("Looked at by us"),
            "text": "" if decided else _("Usually within one working day"),
            "state": "done" if decided else "current" if sent else "next",
        },
        {
            "title": _("Not verified") if state == CaseState.REJECTED else _("Identity verified"),
            "at": case.decided_at if case and decided else None,
            "state": "bad" if state == CaseState.REJECTED else "done" if decided else "next",
        },
    ]
