"""A list as somebody likes to see it: filters, search and order under a name."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.querysets import ScopedQuerySet


class SavedViewQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """One's own; those shared with a role are found by `shared_with`."""
        return self.filter(owner_id=actor.user_id) if actor.user_id else self.none()


class SavedView(models.Model):
    """One list's query string under a name: the owner's, or shared with everybody who holds `role`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner_id = models.BigIntegerField()
    owner_label = models.CharField(_("made by"), max_length=200)
    model = models.CharField(_("list"), max_length=100)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=1500, blank=True)
    role = models.CharField(_("shared with"), max_length=150, blank=True)
    is_default = models.BooleanField(_("opens first"), default=False)
    created_at = models.DateTimeField(default=clock.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["owner_id", "model", "name"], name="view_name_once"),
            models.UniqueConstraint(
                fields=["owner_id", "model"],
                condition=Q(is_default=True),
                name="view_one_default",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="view_named"),
        ]
        indexes = [
            models.Index(fields=["model", "role"], condition=~Q(role=""), name="view_by_role")
        ]

    def __str__(self) -> str:
        return self.name
