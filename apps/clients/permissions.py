"""What a person needs to be allowed before a command or a page of this app lets them in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_CLIENTS = Permission("clients.view_client", _("See clients"))
CHANGE_OWNER = Permission("clients.change_owner", _("Change a client's owner and desk"))
SHARE_CLIENT = Permission("clients.share_client", _("Share a client with a colleague for a while"))
VIEW_SHARES = Permission("clients.view_clientshare", _("See with whom clients are shared"))
ACTIVATE_CLIENT = Permission("clients.activate_client", _("Activate clients"))
REJECT_CLIENT = Permission("clients.reject_client", _("Reject applications"))
CHANGE_LIFECYCLE = Permission("clients.change_lifecycle", _("Make dormant, offboard and close"))
SET_VERIFICATION = Permission("clients.set_verification", _("Set the result of verification"))

EXPORT_CLIENTS = Permission("clients.export_client", _("Export clients to a file"), step_up=True)

VIEW_RESTRICTIONS = Permission("clients.view_restriction", _("See restrictions"))
ADD_RESTRICTION = Permission("clients.restrict_client", _("Restrict a client"))
LIFT_RESTRICTION = Permission("clients.lift_restriction", _("Lift restrictions"))
LIFT_COMPLIANCE = Permission("clients.lift_compliance", _("Lift restrictions of compliance"))
LIFT_MLRO = Permission("clients.lift_mlro", _("Lift restrictions of the MLRO"))
LIFT_FINANCE = Permission("clients.lift_finance", _("Lift restrictions of finance"))
LIFT_RISK = Permission("clients.lift_risk", _("Lift restrictions of risk"))

VIEW_ENTITIES = Permission("clients.view_legalentity", _("See legal entities"))
VIEW_ONBOARDING = Permission("clients.view_onboardingsession", _("See where applications stand"))
VIEW_AGREEMENTS = Permission("clients.view_agreement", _("See agreements"))
VIEW_DUPLICATES = Permission("clients.view_duplicateflag", _("See possible duplicates"))
RESOLVE_DUPLICATE = Permission("clients.resolve_duplicate", _("Decide on possible duplicates"))

REGISTER_CLIENT = Permission("clients.register_client", _("Register clients"))
ONBOARD_OWN = Permission("clients.onboard_own", _("Answer one's own onboarding questions"))

PRIVACY_OWN = Permission(
    "clients.privacy_own", _("Ask for a copy or the erasure of one's own data")
)
VIEW_PRIVACY = Permission("clients.view_privacyrequest", _("See privacy requests"))
VIEW_HOLDS = Permission("clients.view_legalhold", _("See legal holds"))
VIEW_RETENTION = Permission("clients.view_retentionrule", _("See retention rules"))
VIEW_RUNS = Permission("clients.view_retentionrun", _("See retention runs"))
VIEW_ERASURES = Permission("clients.view_erasure", _("See proofs of erasure"))
MANAGE_PRIVACY = Permission(
    "clients.manage_privacy", _("Ask for copies and erasures for clients"), step_up=True
)
APPROVE_ERASURE = Permission("clients.approve_erasure", _("Agree to an erasure"), step_up=True)
SET_HOLD = Permission("clients.set_legal_hold", _("Set a legal hold and ask to lift it"))
LIFT_HOLD = Permission("clients.lift_legal_hold", _("Agree to lift a legal hold"), step_up=True)
RUN_RETENTION = Permission("clients.run_retention", _("Look through what has passed its term"))
APPROVE_RETENTION = Permission(
    "clients.approve_retention", _("Agree to the purge of what has passed its term"), step_up=True
)
