"""What a client may not do, one row for each reason why."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.clients.enums import LiftBy, RestrictionKind, RestrictionSource
from apps.clients.querysets import RestrictionQuerySet
from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel


class Restriction(AuditedModel):
    """Stackable: three rows of one kind bind until the last of them has ended.

    `source_ref` names the case behind it (a withdrawal, a KYC case); one case restricts one
    client in one way once, which the partial unique constraint holds also against a race.
    """

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="restrictions", verbose_name=_("client")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=RestrictionKind.choices)
    source = models.CharField(_("set by"), max_length=16, choices=RestrictionSource.choices)
    source_ref = models.CharField(_("case"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    lift_by = models.CharField(
        _("who may lift it"), max_length=16, choices=LiftBy.choices, default=LiftBy.STAFF
    )
    added_by = models.CharField(_("added by"), max_length=80)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("ended"), null=True, blank=True)
    lifted_by = models.CharField(_("ended by"), max_length=80, blank=True)
    lift_reason = models.CharField(_("why it ended"), max_length=300, blank=True)

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        verbose_name = _("restriction")
        verbose_name_plural = _("restrictions")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind", "source", "source_ref"],
                condition=models.Q(lifted_at=None) & ~models.Q(source_ref=""),
                name="clients_restriction_once_per_case",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=RestrictionKind.values),
                name="clients_restriction_kind_legal",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at=None, lifted_by="")
                | (models.Q(lifted_at__isnull=False) & ~models.Q(lifted_by="")),
                name="clients_restriction_end_has_author",
            ),
        ]
        indexes = [
            models.Index(
                fields=["client", "kind"],
                condition=models.Q(lifted_at=None),
                name="clients_restriction_open_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_source_display()})"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    def binds(self, at: datetime) -> bool:
        return self.lifted_at is None and (self.expires_at is None or self.expires_at > at)

    def end(self, *, by: Actor, reason: str) -> None:
        """Ended, whoever ended it; the row stays."""
        self.lifted_at = clock.now()
        self.lifted_by = by.id
        self.lift_reason = reason
