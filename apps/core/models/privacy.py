from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import new_id
from apps.core.privacy.keys import Keep
from apps.core.querysets import MachineryQuerySet


class DataKey(models.Model):
    """What seals one subject's values, wrapped by a key of the ring. Destroying it is erasing them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.UUIDField(_("whose"))
    keep = models.CharField(_("why kept"), max_length=12, choices=Keep.choices)
    kek = models.CharField(_("wrapped by"), max_length=40)
    wrapped = models.BinaryField(_("wrapped key"))
    created_at = models.DateTimeField(_("made"), default=clock.now)
    retired_at = models.DateTimeField(_("replaced"), null=True, blank=True)
    destroyed_at = models.DateTimeField(_("destroyed"), null=True, blank=True)

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("data key")
        verbose_name_plural = _("data keys")
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "keep"],
                condition=Q(retired_at=None, destroyed_at=None),
                name="core_datakey_one_current",
            ),
            models.CheckConstraint(
                condition=Q(keep__in=Keep.values), name="core_datakey_keep_legal"
            ),
        ]
        indexes = [
            models.Index(fields=["kek", "id"], name="core_datakey_by_kek"),
            models.Index(fields=["subject"], name="core_datakey_by_subject"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="destroyed_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__destroyed_at__isnull=False),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="destroyed_is_empty",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=(
                    "IF (NEW.destroyed_at IS NULL) = (length(NEW.wrapped) = 0) THEN "
                    "RAISE EXCEPTION 'a data key is empty exactly when it is destroyed'; "
                    "END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_keep_display()} {self.id}"
