"""What an open line asks of the person behind it: the same as every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.core.consumers import NOT_ALLOWED, NOT_SIGNED_IN, register_line_check
from apps.users.models import User
from apps.users.selectors import network_refuses
from apps.users.signin.policy import CHECKED, factor_missing, session_over


def line_refusal(user: User, session: Any, address: str) -> int:
    """A session that is over, a network that is not allowed, a second factor that is missing; 0 for none of them."""
    if session is not None and session_over(session, user):
        return NOT_SIGNED_IN
    if not user.is_staff:
        return 0
    if network_refuses(user.pk, address):
        return NOT_ALLOWED
    known = session is not None and session.get(CHECKED)
    if settings.SECOND_FACTOR_ENFORCED and not known and factor_missing(user):
        return NOT_ALLOWED
    return 0


register_line_check(line_refusal)
