"""Who holds what, for those below who ask by actor id."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from apps.core.actor import Actor
from apps.users.models import User
from apps.users.selectors import actor_for


class StaffDirectory:
    """Active members of staff by permission and by actor id."""

    def holders(self, permissions: Iterable[str]) -> list[Actor]:
        """Everybody active who holds any of these today, by name."""
        wanted = list(permissions)
        condition = Q(is_superuser=True)
        for code in wanted:
            app, _, name = code.partition(".")
            for path in ("groups__permissions", "user_permissions"):
                condition |= Q(
                    **{f"{path}__codename": name, f"{path}__content_type__app_label": app}
                )
        rows = (
            User.objects.filter(condition, is_active=True, is_staff=True)
            .distinct()
            .order_by("name", "pk")
        )
        actors = [actor_for(user) for user in rows]
        return [actor for actor in actors if any(actor.allows(code) for code in wanted)]

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
