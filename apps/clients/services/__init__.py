"""Writes. Each command is one transaction: access, lock, guard, rule, transition, history, event."""

from apps.clients.services.agreements import agreement_accept, agreement_publish
from apps.clients.services.data_export import (
    export_fetch,
    export_prepare,
    export_request,
    exports_expire,
)
from apps.clients.services.duplicates import duplicate_confirm, duplicate_dismiss
from apps.clients.services.erasure import erasure_request
from apps.clients.services.lifecycle import (
    activate_when_ready,
    client_activate,
    client_close,
    client_make_dormant,
    client_offboard,
    client_owner_change,
    client_reject,
    client_risk_set,
    client_verification_set,
    client_wake,
    clients_hand_on,
    verification_take,
)
from apps.clients.services.onboarding import (
    onboarding_step_save,
    onboarding_submit,
    onboarding_trouble_note,
)
from apps.clients.services.registration import (
    client_register,
    email_confirm,
    email_confirmation_resend,
)
from apps.clients.services.restrictions import (
    restriction_add,
    restriction_lift,
    restrictions_expire,
)
from apps.clients.services.retention import (
    legal_hold_lift,
    legal_hold_set,
    retention_preview,
    retention_purge,
)
from apps.clients.services.sharing import client_share, client_share_revoke

__all__ = [
    "activate_when_ready",
    "agreement_accept",
    "agreement_publish",
    "client_activate",
    "client_close",
    "client_make_dormant",
    "client_offboard",
    "client_owner_change",
    "client_register",
    "client_reject",
    "client_risk_set",
    "client_share",
    "client_share_revoke",
    "client_verification_set",
    "client_wake",
    "clients_hand_on",
    "duplicate_confirm",
    "duplicate_dismiss",
    "email_confirm",
    "email_confirmation_resend",
    "erasure_request",
    "export_fetch",
    "export_prepare",
    "export_request",
    "exports_expire",
    "legal_hold_lift",
    "legal_hold_set",
    "onboarding_step_save",
    "onboarding_submit",
    "onboarding_trouble_note",
    "restriction_add",
    "restriction_lift",
    "restrictions_expire",
    "retention_preview",
    "retention_purge",
    "verification_take",
]
