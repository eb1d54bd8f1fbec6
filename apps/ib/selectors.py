"""Reads: who stands above whom, who earned what, and what a partner's pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.ib.calculations import Edge
from apps.ib.enums import VersionState
from apps.ib.models import (
    Accrual,
    Attribution,
    Partner,
    Payout,
    PlanAssignment,
    PlanLine,
    PlanVersion,
    TreeEdge,
)

_ANCESTORS = """
WITH RECURSIVE above(node, depth) AS (
    SELECT %s::uuid, 0
    UNION ALL
    SELECT edge.parent_id, above.depth + 1
    FROM above JOIN ib_treeedge edge ON edge.child_id = above.node
    WHERE edge.valid_from <= %s AND (edge.valid_to IS NULL OR edge.valid_to > %s) AND above.depth < 100
)
SELECT node FROM above ORDER BY depth
"""
_DESCENDANTS = """
WITH RECURSIVE below(node, depth) AS (
    SELECT %s::uuid, 0
    UNION ALL
    SELECT edge.child_id, below.depth + 1
    FROM below JOIN ib_treeedge edge ON edge.parent_id = below.node
    WHERE edge.valid_from <= %s AND (edge.valid_to IS NULL OR edge.valid_to > %s) AND below.depth < 100
)
SELECT node FROM below ORDER BY depth
"""


def ancestors(partner_id: UUID, at: datetime) -> list[UUID]:
    """The partner and everybody above it at that instant, nearest first."""
    return _walk(_ANCESTORS, partner_id, at)


def descendants(partner_id: UUID, at: datetime) -> list[UUID]:
    """The partner and everybody below it at that instant."""
    return _walk(_DESCENDANTS, partner_id, at)


def _walk(sql: str, partner_id: UUID, at: datetime) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [partner_id, at, at])
        return [row[0] for row in cursor.fetchall()]


def tree_edges() -> list[Edge]:
    """Every edge there ever was, as plain values."""
    rows = TreeEdge.objects.values_list("parent_id", "child_id", "valid_from", "valid_to")
    return [
        Edge(parent=str(parent), child=str(child), valid_from=start, valid_to=end)
        for parent, child, start, end in rows
    ]


def attribution_at(client_id: UUID, at: datetime) -> Attribution | None:
    """Whose client this was at that instant."""
    return (
        Attribution.objects.at(at)
        .filter(client_id=client_id)
        .select_related("partner__client")
        .first()
    )


def plan_version_at(partner_id: UUID, at: datetime) -> PlanVersion | None:
    """The version by which a partner earned at that instant; None without a plan."""
    assignment = PlanAssignment.objects.at(at).filter(partner_id=partner_id).first()
    if assignment is None:
        return None
    return (
        PlanVersion.objects.filter(
            plan_id=assignment.plan_id, state=VersionState.IN_FORCE, valid_from__lte=at
        )
        .select_related("plan")
        .order_by("-valid_from")
        .first()
    )


def plan_line_for(version: PlanVersion, asset_class: str) -> PlanLine | None:
    """The line of the asset class, or the one for all others."""
    lines = {line.asset_class: line for line in version.lines.all()}
    return lines.get(asset_class) or lines.get("")


def partner_list(*, actor: Actor) -> QuerySet[Partner]:
    return (
        Partner.objects.visible_to(actor)
        .select_related("client__entity", "client__person", "manager")
        .prefetch_related("agreements")
    )


def partner_get(partner_id: UUID, *, actor: Actor) -> Partner:
    """Raises `NotVisible` when there is none or it is out of scope."""
    partner = partner_list(actor=actor).filter(pk=partner_id).first()
    if partner is None:
        raise NotVisible
    return partner


def partners_of_clients(client_ids: list[UUID]) -> frozenset[UUID]:
    """The partners that these clients are."""
    return frozenset(Partner.objects.filter(client_id__in=client_ids).values_list("pk", flat=True))


def accrual_list(*, actor: Actor) -> QuerySet[Accrual]:
    return Accrual.objects.visible_to(actor).select_related(
        "partner", "client", "plan_version__plan", "payout"
    )


def payout_list(*, actor: Actor) -> QuerySet[Payout]:
    return Payout.objects.visible_to(actor).select_related("partner__client")


@dataclass(frozen=True, slots=True)
class WaterfallStep:
    """One line of the arithmetic that leads from a deal to an amount."""

    label: str
    figure: str


def waterfall(accrual: Accrual) -> list[WaterfallStep]:
    """How a commission line came to its amount, from its own frozen figures."""
    from django.utils.translation import gettext as _

    steps = [
        WaterfallStep(_("Traded"), f"{accrual.lots.normalize():f} {_('lots')} {accrual.symbol}"),
        WaterfallStep(_base_label(accrual), f"{plain(accrual.base)}{_base_unit(accrual)}"),
        WaterfallStep(_("Rate"), _rate_text(accrual)),
        WaterfallStep(
            _("Base × rate"),
            f"{plain(accrual.entitlement)} {accrual.inputs['calculation_currency']}",
        ),
    ]
    if accrual.paid_below:
        steps.append(
            WaterfallStep(
                _("Less what partners below earn"),
                f"−{plain(accrual.paid_below)} {accrual.inputs['calculation_currency']}",
            )
        )
    if accrual.fx_rate != 1:
        pair = f"{accrual.inputs['calculation_currency']} → {accrual.currency}"
        steps.append(WaterfallStep(_("Exchange rate"), f"{pair} {plain(accrual.fx_rate)}"))
    steps.append(WaterfallStep(_("Before rounding"), f"{plain(accrual.exact)} {accrual.currency}"))
    steps.append(WaterfallStep(_("Amount"), str(accrual.money)))
    return steps


def _base_label(accrual: Accrual) -> str:
    from django.utils.translation import gettext as _

    return {
        "PER_LOT": _("Standard lots"),
        "SPREAD_SHARE": _("Spread paid by the client"),
        "REVENUE_SHARE": _("Spread and commission paid"),
    }[accrual.kind]


def _base_unit(accrual: Accrual) -> str:
    return "" if accrual.kind == "PER_LOT" else f" {accrual.inputs['calculation_currency']}"


def _rate_text(accrual: Accrual) -> str:
    if accrual.kind == "PER_LOT":
        return f"{plain(accrual.rate)} {accrual.rate_currency} / lot"
    return f"{plain(accrual.rate * 100)} %"


def plain(number: Decimal) -> str:
    """Without trailing zeros and never in exponent form, two places at least."""
    text = f"{number.normalize():f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.ljust(2, '0')}"
