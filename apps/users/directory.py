"""Who holds what, for those below who ask by actor id."""

from __future__ import annotations

from collections.abc import Iterable

from apps.core.actor import Actor
from apps.users.duties import conflicts_of
from apps.users.models import RoleGrant, User
from apps.users.selectors import actor_for


def duties_together(first_id: str, second_id: str) -> list[str]:
    """Why the roles of these two must not come together in one person; what either has alone is not asked again."""
    first, second = _roles_of(first_id), _roles_of(second_id)
    known = {found.code for roles in (first, second) for found in conflicts_of(roles)}
    found = conflicts_of(first | second)
    return [c.why for c in found if c.refuses and c.code not in known]


def _roles_of(actor_id: str) -> frozenset[str]:
    prefix, _, number = actor_id.partition(":")
    if prefix != "user" or not number.isdigit():
        return frozenset()
    held = RoleGrant.objects.in_force().filter(user=int(number))
    return frozenset(held.values_list("role__name", flat=True))


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
