"""What a person needs to be allowed before staff, roles and access can be seen or changed."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_STAFF = Permission("users.view_user", _("See members of staff"))
VIEW_ROLES = Permission("users.view_role", _("See roles and who holds them"))
VIEW_GRANTS = Permission("users.view_rolegrant", _("See who held which role, and when"))
MANAGE_STAFF = Permission(
    "users.manage_staff", _("Invite and change members of staff"), step_up=True
)
REQUEST_ACCESS = Permission(
    "users.request_access", _("Ask for a role or a wider view for somebody"), step_up=True
)
APPROVE_ACCESS = Permission(
    "users.approve_access", _("Approve roles and wider views"), step_up=True
)
GRANT_ANY = Permission("users.grant_any", _("Ask for roles beyond one's own"), step_up=True)
REVOKE_ACCESS = Permission("users.revoke_access", _("Take roles away"))
CUT_OFF = Permission("users.cut_off_user", _("Cut a login off at once"))
VIEW_REVIEWS = Permission("users.view_accessreview", _("See access reviews"))
REVIEW_ACCESS = Permission(
    "users.review_access", _("Keep or revoke access in a review, and sign it")
)
VIEW_NETWORKS = Permission("users.view_networkrule", _("See from where staff may come"))
MANAGE_NETWORKS = Permission(
    "users.manage_networks", _("Say from where staff may come"), step_up=True
)
VIEW_IMPERSONATIONS = Permission("users.view_impersonation", _("See who looked as a client"))
IMPERSONATE = Permission("users.impersonate_client", _("Look at a client's pages as the client"))
