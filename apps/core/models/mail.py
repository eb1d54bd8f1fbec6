from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import new_id
from apps.core.privacy.blind import BlindIndexField
from apps.core.privacy.fields import EncryptedTextField
from apps.core.privacy.keys import Keep
from apps.core.querysets import MachineryQuerySet


class Mail(models.Model):
    """A message in the local mailbox, which stands in for the post office in a demo.

    It lies under the house's key, because it may go to anybody; erasing somebody removes what was sent to them,
    found by the address and, where it is known who reads there, by login and client.
    """

    id = models.BigAutoField(primary_key=True)
    ref = models.UUIDField(default=new_id, editable=False)
    to = EncryptedTextField(_("to"), max_length=320, keep=Keep.ERASABLE, row="ref")
    to_index = BlindIndexField(source="to", normalise="email", db_index=True)
    subject = EncryptedTextField(_("subject"), max_length=200, keep=Keep.ERASABLE, row="ref")
    body = EncryptedTextField(_("body"), keep=Keep.ERASABLE, row="ref")
    html = EncryptedTextField(_("HTML"), blank=True, keep=Keep.ERASABLE, row="ref")
    user_id = models.BigIntegerField(_("login"), null=True, blank=True, db_index=True)
    client_id = models.UUIDField(_("client"), null=True, blank=True, db_index=True)
    sent_at = models.DateTimeField(_("sent at"), default=clock.now)

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mailbox")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"

    def __repr__(self) -> str:
        return f"<Mail: {self.pk}>"
