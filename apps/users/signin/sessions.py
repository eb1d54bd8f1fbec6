"""The session of this browser: a new key when its powers grow, and its line in the list of devices."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from apps.core import clock


def rotate(request: HttpRequest) -> None:
    """Give the session a new key, so that one seen before the proof is worth nothing after it."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(
        session_key=request.session.session_key, last_seen_at=clock.now()
    )


def carry_over(request: HttpRequest) -> None:
    """Keep this one session after all of the login's sessions were ended."""
    before = request.session.session_key
    request.user.refresh_from_db()  # type: ignore[union-attr]
    update_session_auth_hash(request, request.user)  # type: ignore[arg-type]
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
