"""Kill switches: who stopped what, why, and which two people opened it again."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.risk.enums import SwitchLevel, SwitchState
from apps.risk.querysets import KillSwitchQuerySet

S = SwitchState


class KillSwitch(AuditedModel):
    """One stop from its trip to its re-arming. While it is in force only reductions and cancels pass.

    One person stops; opening again takes a second one who approves.
    """

    level = models.CharField(_("level"), max_length=8, choices=SwitchLevel.choices)
    target = models.CharField(_("target"), max_length=64, blank=True)
    state = StateField(_("state"), default=S.TRIPPED, choices=S.choices)
    tripped_by = models.CharField(_("stopped by"), max_length=64)
    tripped_at = models.DateTimeField(_("stopped at"), default=clock.now)
    trip_reason = models.TextField(_("reason"))
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    rearmed_by = models.CharField(_("re-armed by"), max_length=64, blank=True)
    rearmed_at = models.DateTimeField(_("re-armed at"), null=True, blank=True)

    objects = KillSwitchQuerySet.as_manager()  # type: ignore[django-manager-missing]

    class Meta:
        verbose_name = _("kill switch")
        verbose_name_plural = _("kill switches")
        ordering = ["-tripped_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=S.values), name="risk_switch_state"),
            models.CheckConstraint(
                condition=Q(level=SwitchLevel.FIRM, target="")
                | (~Q(level=SwitchLevel.FIRM) & ~Q(target="")),
                name="risk_switch_target",
            ),
            models.CheckConstraint(
                condition=Q(state=S.REARMED, rearmed_at__isnull=False)
                | (~Q(state=S.REARMED) & Q(rearmed_at__isnull=True)),
                name="risk_switch_rearmed",
            ),
            models.UniqueConstraint(
                fields=["level", "target"],
                condition=~Q(state=S.REARMED),
                name="risk_switch_one_in_force",
            ),
        ]

    def __str__(self) -> str:
        return self.scope

    @property
    def scope(self) -> str:
        """The scope as the engine knows it: `firm`, `symbol:EURUSD`, `account:<id>`."""
        return f"{self.level}:{self.target}" if self.target else str(self.level)

    @property
    def audit_client_id(self) -> UUID | None:
        return UUID(self.target) if self.level == SwitchLevel.CLIENT else None

    @transition(state, source=S.TRIPPED, target=S.REARM_REQUESTED)
    def ask_to_rearm(self, *, by: Actor, reason: str) -> None:
        """Somebody thinks that trading may go on; somebody else decides."""

    @transition(state, source=S.REARM_REQUESTED, target=S.TRIPPED)
    def stay_tripped(self, *, by: Actor, reason: str) -> None:
        self.approval_id = None

    @transition(state, source=S.REARM_REQUESTED, target=S.REARMED)
    def rearm(self, *, by: Actor, reason: str) -> None:
        self.rearmed_by = by.id
        self.rearmed_at = clock.now()
