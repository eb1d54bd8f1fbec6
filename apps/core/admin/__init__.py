"""The base of every admin page, and the pages of control itself: approvals, audit, events, mailbox."""

from apps.core.admin.audit import AuditHeadAdmin, AuditRecordAdmin
from apps.core.admin.base import BrokerModelAdmin, ReasonForm, Transition, actor_of
from apps.core.admin.deliveries import DeliveryAdmin, OutboxEventAdmin
from apps.core.admin.pages import ApprovalAdmin

__all__ = [
    "ApprovalAdmin",
    "AuditHeadAdmin",
    "AuditRecordAdmin",
    "BrokerModelAdmin",
    "DeliveryAdmin",
    "OutboxEventAdmin",
    "ReasonForm",
    "Transition",
    "actor_of",
]
