"""How long ago the person behind a session proved who they are.

Sessions age by the machine's own time, not by the business clock: nothing that moves the one may renew the other.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest

FRESH_AT, FRESH_BY = "fresh_at", "fresh_by"
STARTED_AT, SEEN_AT = "started_at", "seen_at"
PASSKEY = "webauthn"


def stamp_sign_in(request: HttpRequest) -> None:
    """A session begins: it is fresh, and both of its clocks start."""
    now = time.time()
    request.session[STARTED_AT] = request.session[SEEN_AT] = now
    stamp_proof(request, last_proof(request))


def stamp_proof(request: HttpRequest, method: str) -> None:
    """Whoever sits there proved it now, by `password`, `totp`, `recovery_codes` or `webauthn`."""
    request.session[FRESH_AT] = time.time()
    request.session[FRESH_BY] = method


def last_proof(request: HttpRequest) -> str:
    """The strongest proof among those given in this session."""
    records = request.session.get("account_authentication_methods") or []
    kinds = [record.get("type") or record.get("method", "") for record in records]
    return next((kind for kind in (PASSKEY, "totp", "recovery_codes") if kind in kinds), "password")


def is_recent(request: Any) -> bool:
    """Whether the last proof is young enough, whatever it was."""
    age = time.time() - request.session.get(FRESH_AT, 0)
    return bool(age <= settings.STEP_UP_FRESH_FOR.total_seconds())


def is_fresh(request: Any) -> bool:
    """Whether the last proof is young enough, and strong enough for staff where the settings ask for a passkey."""
    if getattr(request, "session", None) is None:
        return True
    if settings.STEP_UP_FACTOR == "passkey" and request.user.is_staff:
        return is_recent(request) and request.session.get(FRESH_BY) == PASSKEY
    return is_recent(request)
