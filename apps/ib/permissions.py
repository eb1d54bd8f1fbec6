"""What a person needs to be allowed around partners."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_PARTNERS = Permission("ib.view_partner", _("See partners, trees and commission"))
MANAGE_PARTNERS = Permission("ib.manage_partners", _("Accept, suspend and terminate partners"))
MANAGE_TREE = Permission("ib.manage_tree", _("Move partners and clients in the tree"))
MANAGE_PLANS = Permission(
    "ib.manage_plans", _("Write, publish and assign commission plans"), step_up=True
)
REVERSE_ACCRUAL = Permission(
    "ib.reverse_accrual", _("Release, hold and reverse commission lines"), step_up=True
)
PREPARE_PAYOUT = Permission("ib.prepare_payout", _("Prepare partner payouts"), step_up=True)
APPROVE_PAYOUT = Permission("ib.approve_payout", _("Approve partner payouts"), step_up=True)
VIEW_OWN_PARTNER = Permission("ib.view_own_partner", _("Use the partner pages"))
APPLY_PARTNER = Permission("ib.apply_partner", _("Apply to become a partner"))
