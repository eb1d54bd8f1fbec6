from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermissionBase

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.users.models.user import User
from apps.users.scopes import LONGEST_GRANT, GrantQuerySet


class DatedGrant(AuditedModel, UserObjectPermissionBase):
    """A dated exception: one object opened to one person until an instant, with a reason.

    A guardian object permission with an end. Subclasses name the object `content_object`. It ends by its
    date, whether or not anything runs then: whoever reads grants asks for those `in_force`.
    """

    reason = models.CharField(_("reason"), max_length=500)
    valid_from = models.DateTimeField(_("from"))
    valid_until = models.DateTimeField(_("until"))
    granted_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("shared by")
    )
    revoked_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    revoked_by = models.CharField(_("taken back by"), max_length=64, blank=True)
    revoke_reason = models.CharField(_("why taken back"), max_length=500, blank=True)

    objects = UserObjectPermissionManager.from_queryset(GrantQuerySet)()  # type: ignore[misc]

    class Meta:
        abstract = True
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from"))
                & Q(valid_until__lte=F("valid_from") + LONGEST_GRANT),
                name="%(app_label)s_%(class)s_dates",
            ),
            models.CheckConstraint(
                condition=~Q(user=F("granted_by")), name="%(app_label)s_%(class)s_not_oneself"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="%(app_label)s_%(class)s_reason"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="%(app_label)s_%(class)s_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_object} → {self.user}"  # type: ignore[attr-defined]

    @property
    def in_force(self) -> bool:
        return self.revoked_at is None and self.valid_from <= clock.now() < self.valid_until

    @property
    def over(self) -> bool:
        return bool(self.valid_until <= clock.now())

    def take_back(self, *, by: Actor, reason: str) -> None:
        """Ended before its date; the row stays."""
        self.revoked_at = clock.now()
        self.revoked_by = by.id
        self.revoke_reason = reason
