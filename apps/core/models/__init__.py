"""The tables and bases that every app builds on."""

from apps.core.models.approval import (
    Approval,
    ApprovalPolicy,
    ApprovalRound,
    ApprovalVote,
    Delegation,
    EmergencyReview,
    Severity,
    VoteVoid,
)
from apps.core.models.audit import AuditHead, AuditRecord, AuditSeal
from apps.core.models.base import AppendOnlyModel, AuditedModel, RecordedModel
from apps.core.models.bulk import bulk_save_as
from apps.core.models.idempotency import IdempotencyRecord
from apps.core.models.mail import Mail
from apps.core.models.message import MessageTemplate, SentMail
from apps.core.models.notification import (
    Notification,
    NotificationBox,
    NotificationPreference,
)
from apps.core.models.outbox import Delivery, OutboxEvent
from apps.core.models.privacy import DataKey
from apps.core.models.runs import Run, RunFile, RunRow
from apps.core.models.views import SavedView
from apps.core.models.work import WorkItem

__all__ = [
    "AppendOnlyModel",
    "Approval",
    "ApprovalPolicy",
    "ApprovalRound",
    "ApprovalVote",
    "AuditHead",
    "AuditRecord",
    "AuditSeal",
    "AuditedModel",
    "DataKey",
    "Delegation",
    "Delivery",
    "EmergencyReview",
    "IdempotencyRecord",
    "Mail",
    "MessageTemplate",
    "Notification",
    "NotificationBox",
    "NotificationPreference",
    "OutboxEvent",
    "RecordedModel",
    "Run",
    "RunFile",
    "RunRow",
    "SavedView",
    "SentMail",
    "Severity",
    "VoteVoid",
    "WorkItem",
    "bulk_save_as",
]
