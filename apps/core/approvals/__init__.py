"""Maker and checker for any action: what was asked, who may agree, and what runs when enough people did.

An app registers what an action does (`approves`), asks for it (`approval_request`), and lets the policy of that
action say who must agree. Everything that a lower or higher app needs stands here.
"""

from apps.core.approvals.changes import policy_propose
from apps.core.approvals.deadlines import (
    approval_escalate,
    approval_expire,
    approvals_escalate,
    approvals_expire,
    reviews_remind,
)
from apps.core.approvals.decisions import (
    approval_claim,
    approval_release,
    approval_return,
    approval_take_over,
    approval_vote,
)
from apps.core.approvals.delegations import (
    delegation_end,
    delegation_give,
    delegations_end_of,
    power_is_lent_to,
)
from apps.core.approvals.effects import (
    EFFECTS,
    Effect,
    approves,
    base_changes,
    payload_digest,
    seen_of,
)
from apps.core.approvals.emergency import (
    approval_execute_emergency,
    emergency_confirm,
    emergency_contest,
)
from apps.core.approvals.people import register_directory, register_duties, register_own_records
from apps.core.approvals.policies import policies_load, register_converter
from apps.core.approvals.requests import (
    approval_answer,
    approval_cancel,
    approval_locked,
    approval_open,
    approval_rebase,
    approval_request,
    approval_revise,
    approval_withdraw,
    approvals_end_of,
    require_none_open,
)

__all__ = [
    "EFFECTS",
    "Effect",
    "approval_answer",
    "approval_cancel",
    "approval_claim",
    "approval_escalate",
    "approval_execute_emergency",
    "approval_expire",
    "approval_locked",
    "approval_open",
    "approval_rebase",
    "approval_release",
    "approval_request",
    "approval_return",
    "approval_revise",
    "approval_take_over",
    "approval_vote",
    "approval_withdraw",
    "approvals_end_of",
    "approvals_escalate",
    "approvals_expire",
    "approves",
    "base_changes",
    "delegation_end",
    "delegation_give",
    "delegations_end_of",
    "emergency_confirm",
    "emergency_contest",
    "payload_digest",
    "policies_load",
    "policy_propose",
    "power_is_lent_to",
    "register_converter",
    "register_directory",
    "register_duties",
    "register_own_records",
    "require_none_open",
    "reviews_remind",
    "seen_of",
]
