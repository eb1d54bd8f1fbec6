"""Commands about logins, what they may do, and their end."""

from apps.users.services.access import access_request, role_give, role_revoke
from apps.users.services.doors import (
    impersonation_end,
    impersonation_start,
    network_rule_add,
    network_rule_end,
)
from apps.users.services.leaving import user_cut_off
from apps.users.services.reviews import (
    access_review_open,
    access_review_sign,
    review_line_keep,
    review_line_revoke,
)
from apps.users.services.sessions import session_end, sessions_end
from apps.users.services.staff import (
    staff_change,
    staff_invite,
    staff_invite_again,
    staff_readmit,
    welcome_password_set,
)

__all__ = [
    "access_request",
    "access_review_open",
    "access_review_sign",
    "impersonation_end",
    "impersonation_start",
    "network_rule_add",
    "network_rule_end",
    "review_line_keep",
    "review_line_revoke",
    "role_give",
    "role_revoke",
    "session_end",
    "sessions_end",
    "staff_change",
    "staff_invite",
    "staff_invite_again",
    "staff_readmit",
    "user_cut_off",
    "welcome_password_set",
]
