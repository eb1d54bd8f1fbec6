from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.querysets import MachineryQuerySet


class Mail(models.Model):
    """A message in the local mailbox, which stands in for the post office in a demo."""

    id = models.BigAutoField(primary_key=True)
    to = models.CharField(_("to"), max_length=320)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("body"))
    html = models.TextField(_("HTML"), blank=True)
    sent_at = models.DateTimeField(_("sent at"), default=clock.now)

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mailbox")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"
