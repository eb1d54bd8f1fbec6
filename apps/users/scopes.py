"""What the database itself holds about scope: teams within desks, exceptions with an end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.core import clock

LONGEST_GRANT = timedelta(days=90)
"""An exception for longer than a quarter is no exception; it is asked for again."""


class GrantQuerySet(models.QuerySet[Any]):
    """Dated exceptions."""

    def in_force(self) -> Self:
        """Those that open something at this instant: begun, not run out, not taken back, to somebody who is active."""
        now = clock.now()
        return self.filter(valid_from__lte=now, valid_until__gt=now, revoked_at=None).filter(
            user__is_active=True, user__is_staff=True
        )

    def past(self) -> Self:
        return self.exclude(Q(revoked_at=None) & Q(valid_until__gt=clock.now()))


def team_stays_within_desk() -> pgtrigger.Trigger:
    """A team does not move to another desk under its members."""
    return pgtrigger.Trigger(
        name="team_keeps_its_desk",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(old__desk_id__df=pgtrigger.F("new__desk_id")),
        func="RAISE EXCEPTION 'a team keeps its desk';",
    )


def user_joins_team_of_desk() -> pgtrigger.Trigger:
    """Nobody is in a team of another desk than their own."""
    return pgtrigger.Trigger(
        name="team_of_own_desk",
        operation=pgtrigger.Insert | pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__team_id__isnull=False),
        func=(
            "IF (SELECT desk_id FROM users_team WHERE id = NEW.team_id) IS DISTINCT FROM NEW.desk_id"
            " THEN RAISE EXCEPTION 'a team of another desk'; END IF; RETURN NEW;"
        ),
    )
