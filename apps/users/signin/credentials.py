"""What every change of a way in leaves behind, whichever command changes it."""

from __future__ import annotations

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.events import emit
from apps.users.models import User
from apps.users.selectors import client_id_of
from apps.users.signin.events import CredentialsChanged


def credentials_touch(*, user: User, what: str, actor: Actor, reason: str = "") -> None:
    """Part of a change of password or second factor: the date that holds withdrawals, the trail, the mail."""
    user.credentials_changed_at = clock.now()
    user.save(update_fields=["credentials_changed_at"])
    audit(
        actor=actor,
        action=f"login.{what}",
        subject=user,
        client_id=client_id_of(user),
        reason=reason,
    )
    emit(CredentialsChanged(user_id=user.pk, what=what))
