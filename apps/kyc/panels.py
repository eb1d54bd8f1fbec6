"""Cards on the client's and the case's page, and the reviewers' queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.panels import Panel, QueueRow, register_panel, register_queue
from apps.kyc.enums import CheckOutcome
from apps.kyc.models import KycCase
from apps.kyc.permissions import REVIEW_CASE, VIEW_CASES, VIEW_DOCUMENTS
from apps.kyc.selectors import case_of_client, documents_of, review_queue
from apps.kyc.wording import CHECKS, FACTORS

_TONES = {CheckOutcome.PASS: "good", CheckOutcome.WARN: "warn", CheckOutcome.FAIL: "bad"}


def check_rows(case: KycCase) -> list[dict[str, Any]]:
    """The stored checks in words."""
    return [
        {
            "label": CHECKS.get(check["code"], check["code"]),
            "outcome": CheckOutcome(check["outcome"]).label,
            "tone": _TONES[CheckOutcome(check["outcome"])],
            "values": check["values"],
            "document_id": check["document_id"],
        }
        for check in case.checks
    ]


class DeclaredPanel(Panel):
    """What the client declared, to be compared with the documents."""

    title = _("As declared")
    template = "clients/panels/identity.html"
    permission = VIEW_DOCUMENTS

    def context(self, obj: KycCase, actor: Actor) -> dict[str, Any]:
        person = obj.client.person
        return {"person": person}


class RiskPanel(Panel):
    """The risk rating with its arithmetic."""

    title = _("Risk rating")
    template = "kyc/panels/risk.html"
    permission = VIEW_CASES

    def context(self, obj: KycCase, actor: Actor) -> dict[str, Any] | None:
        if not obj.risk:
            return None
        factors = [
            {**factor, "label": FACTORS.get(factor["code"], factor["code"])}
            for factor in obj.risk["factors"]
        ]
        floors = [FACTORS.get(floor["code"], floor["code"]) for floor in obj.risk["floors"]]
        return {
            "factors": factors,
            "floors": floors,
            "score": obj.risk["score"],
            "rating": obj.client.get_risk_rating_display(),
            "version": obj.risk["version"],
        }


class KycPanel(Panel):
    """On the client's page: where the verification stands."""

    title = _("Verification")
    template = "kyc/panels/case.html"
    permission = VIEW_CASES
    narrow = True

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        case = case_of_client(obj.pk, actor=actor)
        return {"case": case, "documents": documents_of(case) if case else []}


def _waiting(actor: Actor) -> Iterable[QueueRow]:
    for case in review_queue(actor=actor):
        money = " + ".join(str(amount) for amount in case.money_waiting)  # type: ignore[attr-defined]
        yield QueueRow(
            label=str(case.client) + (f" · {money}" if money else ""),
            url=reverse("admin:kyc_kyccase_change", args=[case.pk]),
            since=case.submitted_at or case.created_at,
            sla_due=case.review_due_at,
            severity="high" if money or case.state == "ESCALATED" else "normal",
            owner=str(case.claimed_by) if case.claim_holder() else "",
            next_action=str(_("Review the documents")),
        )


register_panel("clients.Client", KycPanel, order=10)
register_queue("kyc.review", _("KYC reviews"), REVIEW_CASE, _waiting)
