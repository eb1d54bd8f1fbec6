"""What a client must accept, and the proof that they did."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.clients.querysets import AgreementQuerySet, ClientOwnedQuerySet
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.privacy.fields import EncryptedTextField
from apps.core.privacy.keys import Keep


class Agreement(AuditedModel):
    """One version of one document of one entity. Published text never changes: a new one is a
    new version, and the highest version in force is what a client accepts."""

    entity = models.ForeignKey(
        "clients.LegalEntity", models.PROTECT, related_name="agreements", verbose_name=_("entity")
    )
    code = models.CharField(_("code"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=8, default="en")
    title = models.CharField(_("title"), max_length=160)
    body = models.TextField(_("text"))
    body_sha256 = models.CharField(_("SHA-256 of the text"), max_length=64)
    required = models.BooleanField(_("required"), default=True)
    in_force_from = models.DateTimeField(_("in force from"))

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        ordering = ["entity", "code", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "code", "language", "version"],
                name="clients_agreement_version_once",
            ),
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="clients_agreement_version_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class AgreementAcceptance(AppendOnlyModel):
    """Proof: who accepted which text, when, from where. Never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="acceptances", verbose_name=_("client")
    )
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, related_name="acceptances", verbose_name=_("agreement")
    )
    body_sha256 = models.CharField(_("SHA-256 of the text"), max_length=64)
    accepted_at = models.DateTimeField(_("accepted"))
    accepted_by = models.CharField(_("accepted by"), max_length=80)
    ip = EncryptedTextField(_("IP address"), max_length=45, blank=True, subject="client_id")
    user_agent = EncryptedTextField(
        _("browser"), max_length=300, blank=True, subject="client_id", keep=Keep.ERASABLE
    )

    objects = ClientOwnedQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")
        ordering = ["-accepted_at"]
        constraints = [
            models.UniqueConstraint(fields=["client", "agreement"], name="clients_acceptance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.agreement_id}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id
