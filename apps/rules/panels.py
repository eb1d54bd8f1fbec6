"""What the rules show: a version's rows, a receipt, and a client's decisions on the client's page."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.admin.pages import subject_url
from apps.core.panels import Panel, register_panel, register_receipts
from apps.core.timeline import TimelineEntry, Window, about, register_timeline
from apps.rules.engine.schema import Kind, Outcome, Point
from apps.rules.models import DecisionLog, Rule, RuleSet
from apps.rules.permissions import TEST_RULES, VIEW_DECISIONS
from apps.rules.points import POINTS
from apps.rules.selectors import (
    compare,
    decisions_of_client,
    outcome_counts,
    rows_of,
    scope_text,
    version_before,
)


def point_title(code: str) -> Any:
    point = POINTS.get(code)
    return point.title if point else code


def outcome_tone(outcome: str) -> str:
    """A required step is a warning like a review; the others have the tone that they have everywhere."""
    return "warn" if outcome == Outcome.REQUIRE else ""


def receipt_address(decision_id: Any) -> str:
    return reverse("admin:rules_decisionlog_change", args=[decision_id])


def receipt_url(receipt: DecisionLog) -> str:
    return receipt_address(receipt.pk)


class RowsPanel(Panel):
    """The decision table of a version."""

    title = _("Rows")
    template = "rules/panels/rows.html"

    def context(self, obj: RuleSet, actor: Actor) -> dict[str, Any]:
        return {
            "rows": [{"rule": rule, "scope": scope_text(rule.row)} for rule in obj.rules.all()],
            "tester_url": reverse("admin:rules_ruleset_tester", args=[obj.pk])
            if actor.allows(TEST_RULES)
            else "",
            "inputs": POINTS[obj.point].fields if obj.point in POINTS else (),
        }


class VersionsPanel(Panel):
    """All versions of the set, and what this one changed."""

    title = _("Versions")
    template = "rules/panels/versions.html"

    def context(self, obj: RuleSet, actor: Actor) -> dict[str, Any]:
        before = version_before(obj)
        versions = RuleSet.objects.filter(point=obj.point, entity=obj.entity)
        counted = outcome_counts(obj.point, obj.entity, actor)
        return {
            "versions": versions.order_by("-version"),
            "before": before,
            "changes": compare(rows_of(before), rows_of(obj)) if before else [],
            "counted": sorted(counted.items()),
            "receipts_url": reverse("admin:rules_decisionlog_changelist")
            + f"?point__exact={obj.point}",
        }


class ReceiptPanel(Panel):
    """One receipt, as a person reads it."""

    title = _("Receipt")
    template = "rules/panels/receipt.html"

    def context(self, obj: DecisionLog, actor: Actor) -> dict[str, Any]:
        point = POINTS.get(obj.point)
        duties = {item.name: item.label for item in point.obligations} if point else {}
        return {
            "point": point_title(obj.point),
            "inputs": shown_inputs(point, obj.inputs),
            "obligations": [
                (duties.get(name, name), value) for name, value in obj.obligations.items()
            ],
            "checks": shown_checks(obj),
            "sources": shown_sources(obj),
            "subject_url": subject_url(obj.subject_type, obj.subject_id),
            "client_url": subject_url("clients.Client", str(obj.client_id))
            if obj.client_id
            else "",
        }


def shown_inputs(point: Point | None, inputs: dict[str, Any]) -> list[tuple[Any, str, Any]]:
    """Inputs in the order in which the point declares them, amounts in whole units."""
    if point is None:
        return [(name, name, value) for name, value in inputs.items()]
    shown = []
    for item in point.fields:
        if item.name not in inputs:
            continue
        value = inputs[item.name]
        if item.kind is Kind.MINOR:
            value = f"{Decimal(value) / 100:,.2f}"
        elif item.kind is Kind.LOTS:
            value = f"{Decimal(value) / 1000:f}"
        shown.append((item.label, item.name, value))
    return shown


def _versions_of(receipt: DecisionLog) -> list[RuleSet]:
    found = []
    for source in receipt.sources:
        entity, _slash, point = source["key"].partition("/")
        version = RuleSet.objects.filter(
            entity="" if entity == "COMMON" else entity, point=point, version=source["version"]
        ).first()
        if version is not None:
            found.append(version)
    return found


def shown_sources(receipt: DecisionLog) -> list[dict[str, Any]]:
    known = {f"{version.key} {version.version}": version for version in _versions_of(receipt)}
    rows = []
    for source in receipt.sources:
        version = known.get(f"{source['key']} {source['version']}")
        rows.append(
            source
            | {
                "url": reverse("admin:rules_ruleset_change", args=[version.pk]) if version else "",
                "intact": version is not None and version.checksum == source["checksum"],
            }
        )
    return rows


def shown_checks(receipt: DecisionLog) -> list[dict[str, Any]]:
    """Each row's answer beside what the row says; those that hit first."""
    rules: dict[str, Rule] = {}
    for version in reversed(_versions_of(receipt)):
        rules |= {rule.code: rule for rule in version.rules.all()}
    order = {"HIT": 0, "ERROR": 1, "MISS": 2}
    checks = [
        row | {"code": row["rule"], "rule": rules.get(row["rule"])} for row in receipt.results
    ]
    return sorted(checks, key=lambda check: order.get(check["result"], 3))


class ClientDecisionsPanel(Panel):
    """What the rules decided about this client."""

    title = _("Decisions")
    template = "rules/panels/client_decisions.html"
    permission = VIEW_DECISIONS

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        return {
            "rows": [
                {
                    "receipt": receipt,
                    "title": point_title(receipt.point),
                    "url": receipt_url(receipt),
                }
                for receipt in decisions_of_client(obj.pk)
            ],
            "all_url": reverse("admin:rules_decisionlog_changelist") + f"?q={obj.pk}",
        }


def decisions_for_timeline(
    subject: models.Model, actor: Actor, window: Window
) -> Iterable[TimelineEntry]:
    """Decisions about a client or a row, and the one that a row rests on, each opening its receipt."""
    if not actor.allows(VIEW_DECISIONS):
        return []
    own = Q(pk=getattr(subject, "decision_id", None) or UUID(int=0))
    receipts = window.of(DecisionLog.objects.filter(about(subject) | own), "decided_at")
    return [
        TimelineEntry(
            at=receipt.decided_at,
            kind="decisions",
            title=f"{point_title(receipt.point)}: {receipt.get_outcome_display()}",
            who=receipt.actor_label,
            reason=" ".join(str(reason["text"]) for reason in receipt.reasons),
            url=receipt_url(receipt),
            detail=receipt.version_label,
        )
        for receipt in receipts
    ]


register_receipts(receipt_address)
register_panel("clients.Client", ClientDecisionsPanel, order=70)
register_timeline("decisions", _("Decisions"), decisions_for_timeline)
