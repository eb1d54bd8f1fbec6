"""Looking through everybody's access from time to time, line by line, until somebody signs for it."""

from __future__ import annotations

from datetime import date

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.users.models.grants import RoleGrant
from apps.users.querysets import OfUserQuerySet


class AccessReview(AuditedModel):
    """One campaign: what everybody held when it opened. Signed, it says so for good: its lines cannot change."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        SIGNED = "SIGNED", _("signed")

    code = models.CharField(_("period"), max_length=20, unique=True)
    state = StateField(_("state"), default=State.OPEN, choices=State.choices)
    due_at = models.DateTimeField(_("due"))
    signed_at = models.DateTimeField(_("signed at"), null=True, blank=True)
    signed_by_label = models.CharField(_("signed by"), max_length=200, blank=True)
    digest = models.CharField(_("digest"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("access review")
        verbose_name_plural = _("access reviews")
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "SIGNED"]), name="access_review_state"
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", signed_at=None, digest="")
                | (Q(state="SIGNED", signed_at__isnull=False) & ~Q(digest="")),
                name="review_signed_with_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @transition(state, source=State.OPEN, target=State.SIGNED)
    def sign(self, *, by_label: str, digest: str) -> None:
        self.signed_at = clock.now()
        self.signed_by_label = by_label
        self.digest = digest


class AccessReviewLine(AuditedModel):
    """One role of one member of staff as it was when the review opened, or that somebody holds none."""

    class Decision(models.TextChoices):
        OPEN = "OPEN", _("to decide")
        KEEP = "KEEP", _("kept")
        REVOKE = "REVOKE", _("revoked")

    review = models.ForeignKey(AccessReview, models.PROTECT, related_name="lines")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    grant = models.ForeignKey(
        RoleGrant, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("grant")
    )
    role = models.CharField(_("role"), max_length=150, blank=True)
    held_since = models.DateTimeField(_("since"), null=True, blank=True)
    sees = models.CharField(_("sees"), max_length=400, blank=True)
    last_sign_in = models.DateTimeField(_("last sign-in"), null=True, blank=True)
    unused = models.JSONField(_("not used"), default=list, blank=True)
    decision = models.CharField(
        _("decision"), max_length=8, choices=Decision.choices, default=Decision.OPEN
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    objects = OfUserQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of an access review")
        verbose_name_plural = _("lines of access reviews")
        ordering = ("review", "user", "role")
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="OPEN", decided_by=None, decided_at=None)
                | (
                    Q(decision__in=["KEEP", "REVOKE"])
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(reason="")
                ),
                name="review_line_decided",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("user")),
                name="review_line_not_by_oneself",
            ),
            models.UniqueConstraint(
                fields=["review", "user", "grant"], name="review_line_once", nulls_distinct=False
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="stays_as_signed",
                operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Insert,
                when=pgtrigger.Before,
                func=(
                    "IF EXISTS (SELECT 1 FROM users_accessreview r WHERE r.state = 'SIGNED' AND r.id = "
                    "CASE WHEN TG_OP = 'INSERT' THEN NEW.review_id ELSE OLD.review_id END) THEN "
                    "RAISE EXCEPTION 'a signed access review does not change'; END IF; "
                    "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role or '-'}"


class PermissionUse(models.Model):
    """The last day on which a member of staff used a permission to do something."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    code = models.CharField(max_length=120)
    last_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code"], name="use_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.code} {self.last_on}"


def quarter_of(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"
