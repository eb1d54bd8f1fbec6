from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.models.base import AuditedModel


class WorkItem(AuditedModel):
    """What people say about one derived item of the inbox: whose it is, and until when it may rest.

    The item itself is found by its queue each time; a row here never makes it appear or disappear for good.
    """

    kind = models.CharField(_("kind"), max_length=80)
    key = models.CharField(_("item"), max_length=64)
    owner_id = models.CharField(_("owner"), max_length=64, blank=True)
    owner_label = models.CharField(_("owner"), max_length=200, blank=True)
    owned_since = models.DateTimeField(_("owner since"), null=True, blank=True)
    given_by = models.CharField(_("given by"), max_length=200, blank=True)
    snoozed_until = models.DateTimeField(_("rests until"), null=True, blank=True)
    snooze_reason = models.TextField(_("why it rests"), blank=True)

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        ordering = ("kind", "key")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="work_item_once"),
            models.CheckConstraint(
                condition=Q(snoozed_until=None) | ~Q(snooze_reason=""), name="work_rest_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def rests(self) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > clock.now()
