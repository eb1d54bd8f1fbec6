"""In which order the rows of a login are locked, by every command alike, so that two never wait for each other:
the line or request that is decided, then the login, then its grants by primary key, then the administrators' role.
"""

from __future__ import annotations

from apps.core.actor import Actor, ScopeLevel
from apps.core.errors import NotVisible
from apps.core.locks import lock_row
from apps.users.errors import NotStaff
from apps.users.models import User


def staff_locked(user_id: int, actor: Actor) -> User:
    """Lock a member of staff whose whole field lies within the actor's. Raises `NotVisible`, `NotStaff`.

    Somebody who works for two companies is read by the staff of either, and changed only by those of both.
    """
    user = lock_row(User.objects.all(), user_id, visible_to=actor)
    if not user.is_staff:
        raise NotStaff
    if actor.scope.level is not ScopeLevel.ALL and (
        user.scope_level == ScopeLevel.ALL or not set(user.entities) <= actor.scope.entities
    ):
        raise NotVisible
    return user
