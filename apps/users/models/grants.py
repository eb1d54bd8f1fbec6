"""A role held by a login, from one moment to another: the only way anybody may do anything."""

from __future__ import annotations

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.models import AuditedModel
from apps.users.querysets import RoleGrantQuerySet


class IdRange(Func):
    """An id as a range, because the server has no GiST operators for plain numbers."""

    function = "INT8RANGE"
    template = "%(function)s(%(expressions)s, '[]')"


class TimeSpan(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class RoleGrant(AuditedModel):
    """`user` holds `role` from `valid_from` until just before `valid_until`; without an end until it is revoked.

    A grant is never deleted: revoking ends it at that moment, so the table is also the history of who held
    what. The database refuses two grants of one role to one person at the same time.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="grants", verbose_name=_("person")
    )
    role = models.ForeignKey(Group, models.PROTECT, related_name="grants", verbose_name=_("role"))
    valid_from = models.DateTimeField(_("from"), default=clock.now)
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    granted_by_id = models.CharField(_("asked by"), max_length=64, blank=True)
    granted_by_label = models.CharField(_("asked by"), max_length=200, blank=True)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by_label = models.CharField(_("revoked by"), max_length=200, blank=True)
    revoke_reason = models.TextField(_("why revoked"), blank=True)

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("role grant")
        verbose_name_plural = _("role grants")
        ordering = ("-valid_from", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="grant_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(valid_until__isnull=False),
                name="grant_revoked_has_ended",
            ),
            ExclusionConstraint(
                name="grant_once_at_a_time",
                expressions=[
                    (IdRange(F("user_id"), F("user_id")), RangeOperators.OVERLAPS),
                    (IdRange(F("role_id"), F("role_id")), RangeOperators.OVERLAPS),
                    (TimeSpan(F("valid_from"), F("valid_until")), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["user", "valid_until"], name="grant_of_user")]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.user}: {self.role.name}"

    def gives_at(self, at: datetime) -> bool:
        """Whether the role is held at this moment."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    @property
    def state(self) -> str:
        """`PLANNED`, `ACTIVE`, `REVOKED` or `ENDED`, by the clock alone."""
        at = clock.now()
        if self.gives_at(at):
            return "ACTIVE"
        if self.revoked_at is not None:
            return "REVOKED"
        return "PLANNED" if self.valid_from > at else "ENDED"
