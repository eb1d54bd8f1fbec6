"""Permissions are declared once as constants; asking for one that nobody declared raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

REGISTRY: dict[str, Permission] = {}


@dataclass(frozen=True, slots=True)
class Permission:
    """`code` is `app.codename`; the row in `auth_permission` is made after each migration.

    `step_up` marks what moves money or grants power: a session whose last strong sign-in is old asks for a new one.
    """

    code: str
    label: Any
    step_up: bool = False

    def __post_init__(self) -> None:
        app, dot, name = self.code.partition(".")
        if not (app and dot and name):
            raise ValueError(f"a permission is named app.codename, was {self.code!r}")
        REGISTRY[self.code] = self

    def __str__(self) -> str:
        return self.code


VOTE_APPROVAL = Permission("core.vote_approval", _("Decide on pending approvals"), step_up=True)
VIEW_AUDIT = Permission("core.view_auditrecord", _("Read the audit trail"))
EXPORT_AUDIT = Permission("core.export_auditrecord", _("Take signed extracts of the audit trail"))
RETRY_DELIVERY = Permission("core.retry_delivery", _("Retry a dead delivery"))
SKIP_DELIVERY = Permission("core.skip_delivery", _("Skip a dead delivery"))
EDIT_MESSAGE = Permission("core.edit_message", _("Draft what messages say"))
PUBLISH_MESSAGE = Permission("core.publish_message", _("Put messages into use"))
EXPORT_CONFIG = Permission("core.export_config", _("Export the configuration"))
APPLY_CONFIG = Permission(
    "core.apply_config", _("Ask for a configuration to be applied"), step_up=True
)
APPROVE_CONFIG = Permission("core.approve_config", _("Agree to a configuration"), step_up=True)
SHARE_VIEW = Permission("core.share_view", _("Share saved views of lists with a role"))
VIEW_APPROVAL = Permission("core.view_approval", _("See approvals"))
CHANGE_POLICY = Permission(
    "core.change_approval_policy", _("Change who must approve what"), step_up=True
)
EMERGENCY_EXECUTE = Permission(
    "core.emergency_execute", _("Carry a change out alone in an emergency"), step_up=True
)
REVIEW_EMERGENCY = Permission("core.review_emergency", _("Review what was done in an emergency"))
DELEGATE = Permission("core.delegate", _("Name somebody to stand in while away"))
MANAGE_DELEGATIONS = Permission(
    "core.manage_delegations", _("Manage who stands in for whom"), step_up=True
)
VIEW_INBOX = Permission("core.view_workitem", _("Work through the inbox"))
ASSIGN_WORK = Permission("core.assign_work", _("Give work to colleagues"))
DECIDE_ESCALATED = Permission(
    "core.decide_escalated", _("Decide on what was escalated and on the largest amounts")
)
REVEAL_PERSONAL = Permission(
    "core.reveal_personal", _("Look at masked personal data, with a purpose")
)
