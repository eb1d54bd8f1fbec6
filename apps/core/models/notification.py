"""What the house tells one person inside its own pages, and what that person wants to be told."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.querysets import ScopedQuerySet


class NotificationQuerySet(ScopedQuerySet):
    """A notification is its reader's alone: no role, however wide its scope, reads another person's."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.is_system:
            return self
        return self.filter(user_id=actor.user_id) if actor.user_id is not None else self.none()

    def shown(self) -> Self:
        """What the pages list: those that the reader wants to be told inside the house."""
        return self.filter(in_app=True)

    def unread(self) -> Self:
        return self.shown().filter(read_at=None)


class NotificationBox(models.Model):
    """The last number given to a person's notifications. Its row lock keeps the numbers without holes."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="+"
    )
    last_seq = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.last_seq}"


class Notification(models.Model):
    """One line for one person. `seq` counts per person, so a page knows when it missed a hint."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    seq = models.PositiveBigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(max_length=120, blank=True)
    title = models.CharField(_("what"), max_length=200)
    url = models.CharField(_("leads to"), max_length=300, blank=True)
    in_app = models.BooleanField(default=True)
    created_at = models.DateTimeField(_("at"), default=clock.now)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["user", "seq"], name="notification_number"),
            models.UniqueConstraint(
                fields=["user", "kind", "key"], condition=~Q(key=""), name="notification_once"
            ),
            models.CheckConstraint(
                condition=Q(url="") | (Q(url__startswith="/") & ~Q(url__startswith="//")),
                name="notification_leads_inside",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "-id"],
                condition=Q(read_at=None, in_app=True),
                name="notification_unread",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationPreference(models.Model):
    """A person's own choice for one kind; whoever chose nothing has the kind's default."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=60)
    in_app = models.BooleanField(_("inside the pages"))
    email = models.BooleanField(_("by e-mail"))

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification choice")
        verbose_name_plural = _("notification choices")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="notification_choice"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.kind}"
