"""The commands of this app."""

from apps.ib.services.accruals import Deal, accrual_release, accrual_reverse, deal_accrue
from apps.ib.services.partners import (
    link_create,
    partner_apply,
    partner_approve,
    partner_reactivate,
    partner_reject,
    partner_suspend,
    partner_terminate,
)
from apps.ib.services.payouts import payout_cancel, payout_prepare, payout_submit
from apps.ib.services.plans import LineDraft, plan_assign, plan_create, plan_version_publish
from apps.ib.services.tree import (
    attribution_lock,
    attribution_move,
    click_record,
    client_attribute,
    client_move,
    client_move_request,
    partner_move,
)

__all__ = [
    "Deal",
    "LineDraft",
    "accrual_release",
    "accrual_reverse",
    "attribution_lock",
    "attribution_move",
    "click_record",
    "client_attribute",
    "client_move",
    "client_move_request",
    "deal_accrue",
    "link_create",
    "partner_apply",
    "partner_approve",
    "partner_move",
    "partner_reactivate",
    "partner_reject",
    "partner_suspend",
    "partner_terminate",
    "payout_cancel",
    "payout_prepare",
    "payout_submit",
    "plan_assign",
    "plan_create",
    "plan_version_publish",
]
