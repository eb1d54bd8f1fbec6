from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.masks import FieldMask


class RoleMask(models.Model):
    """How much of one personal field a role reads. Loaded from `data/masks.toml`; no row means nothing."""

    role = models.ForeignKey(Group, models.CASCADE, related_name="masks", verbose_name=_("role"))
    field = models.CharField(_("field"), max_length=120)
    mask = models.CharField(
        _("mask"), max_length=8, choices=[(m.value, m.value.lower()) for m in FieldMask]
    )

    class Meta:
        verbose_name = _("field mask")
        verbose_name_plural = _("field masks")
        ordering = ("role__name", "field")
        constraints = [
            models.UniqueConstraint(fields=["role", "field"], name="users_mask_once"),
            models.CheckConstraint(
                condition=Q(mask__in=[m.value for m in FieldMask]), name="users_mask_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role.name}: {self.field} {self.mask}"
