"""Commands about logins, what they may do, and their end."""

from apps.users.services.access import access_request, role_give, role_revoke
from apps.users.services.leaving import user_cut_off
from apps.users.services.sessions import session_end, sessions_end

__all__ = [
    "access_request",
    "role_give",
    "role_revoke",
    "session_end",
    "sessions_end",
    "user_cut_off",
]
