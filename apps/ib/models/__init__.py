"""Partners, the tree they stand in, the plans they earn by, and what they earned."""

from apps.ib.models.money import Accrual, Payout
from apps.ib.models.partner import (
    Attribution,
    Click,
    Partner,
    PartnerAgreement,
    ReferralLink,
    TreeEdge,
)
from apps.ib.models.plan import Plan, PlanAssignment, PlanLine, PlanVersion

__all__ = [
    "Accrual",
    "Attribution",
    "Click",
    "Partner",
    "PartnerAgreement",
    "Payout",
    "Plan",
    "PlanAssignment",
    "PlanLine",
    "PlanVersion",
    "ReferralLink",
    "TreeEdge",
]
