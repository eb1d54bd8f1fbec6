"""Who holds what, for those below who ask by actor id."""

from __future__ import annotations

from collections.abc import Iterable

from apps.core.actor import Actor
from apps.users.models import User
from apps.users.selectors import actor_for


class StaffDirectory:
    """Active members of staff by permission and by actor id."""

    def holders(self, permissions: Iterable[str]) -> list[Actor]:
        """Everybody active who holds any of these today, by name."""
        staff = User.objects.holding(permissions).order_by("name", "pk")
        return [actor_for(user) for user in staff]

    def find(self, actor_id: str) -> Actor | None:
        """The actor, or None when the login is not active staff. Raises `KeyError` when there is no such login."""
        prefix, _, number = actor_id.partition(":")
        user = (
            User.objects.filter(pk=int(number)).first()
            if prefix == "user" and number.isdigit()
            else None
        )
        if user is None:
            raise KeyError(actor_id)
        return actor_for(user) if user.is_active and user.is_staff else None
