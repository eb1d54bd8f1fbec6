"""Writes: what the client does, what reviewers do."""

from apps.kyc.services.decisions import (
    case_approve,
    case_claim,
    case_escalate,
    case_reject,
    case_release,
    case_request_information,
    case_request_resubmission,
)
from apps.kyc.services.documents import (
    document_accept,
    document_open,
    document_reject,
    document_upload,
    documents_age,
)
from apps.kyc.services.submission import case_open, case_submit, case_withdraw

__all__ = [
    "case_approve",
    "case_claim",
    "case_escalate",
    "case_open",
    "case_reject",
    "case_release",
    "case_request_information",
    "case_request_resubmission",
    "case_submit",
    "case_withdraw",
    "document_accept",
    "document_open",
    "document_reject",
    "document_upload",
    "documents_age",
]
