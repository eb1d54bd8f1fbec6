"""The base of every admin page, and the pages of control itself: approvals, audit, events, mailbox."""

from apps.core.admin.approvals import (
    ApprovalAdmin,
    ApprovalPolicyAdmin,
    DelegationAdmin,
)
from apps.core.admin.audit import AuditHeadAdmin, AuditRecordAdmin
from apps.core.admin.base import (
    BrokerInline,
    BrokerModelAdmin,
    BulkTransition,
    ReasonForm,
    Transition,
    actor_of,
)
from apps.core.admin.deliveries import DeliveryAdmin, OutboxEventAdmin
from apps.core.admin.keys import DataKeyAdmin
from apps.core.admin.message_pages import MessageTemplateAdmin, SentMailAdmin

__all__ = [
    "ApprovalAdmin",
    "ApprovalPolicyAdmin",
    "AuditHeadAdmin",
    "AuditRecordAdmin",
    "BrokerInline",
    "BrokerModelAdmin",
    "BulkTransition",
    "DataKeyAdmin",
    "DelegationAdmin",
    "DeliveryAdmin",
    "MessageTemplateAdmin",
    "OutboxEventAdmin",
    "ReasonForm",
    "SentMailAdmin",
    "Transition",
    "actor_of",
]
