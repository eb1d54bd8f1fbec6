"""Ending sessions: one device, or everywhere at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import F

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import NotVisible
from apps.core.locks import lock_row
from apps.users.models import User


@command
def sessions_end(*, user_id: int, actor: Actor, reason: str, keep: str = "") -> int:
    """End every session of this login, wherever it is kept; answers with the new epoch.

    No session of an older epoch is this user's any more, also one that no list knows. Open sockets are closed by
    whoever cuts the user off. `keep` is the key of a session that stays in the store: its own request must give it
    the new epoch. Raises `NotVisible`.
    """
    user = lock_row(User.objects.all(), user_id)
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    ended = sessions_forget(UserSession.objects.filter(user=user).exclude(session_key=keep))
    audit(
        actor=actor,
        action="login.sessions_end",
        subject=user,
        after={"sessions": ended},
        reason=reason,
    )
    return user.session_epoch + 1


@command
def session_end(*, user_id: int, session_id: int, actor: Actor, reason: str) -> None:
    """End one device's session. Raises `NotVisible` for a session that is not this login's."""
    rows = UserSession.objects.filter(user_id=user_id, pk=session_id)
    row = rows.select_related("user").first()
    if row is None:
        raise NotVisible
    sessions_forget(rows)
    audit(
        actor=actor,
        action="login.session_end",
        subject=row.user,
        after={"device": row.user_agent[:120]},
        reason=reason,
    )


def sessions_forget(rows: Any) -> int:
    """Delete the sessions behind `rows` and the rows themselves."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    keys = list(rows.values_list("session_key", flat=True))
    for key in keys:
        store.delete(key)
    rows.delete()
    return len(keys)
