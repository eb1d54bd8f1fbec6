"""A human being, known once however many relationships there are."""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator, validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.clients.querysets import PersonQuerySet
from apps.core.masks import said
from apps.core.models import AuditedModel
from apps.core.privacy.blind import BlindIndexField, BlindWordsField
from apps.core.privacy.fields import EncryptedDateField, EncryptedTextField
from apps.core.privacy.keys import Keep

ERASABLE = Keep.ERASABLE
E164 = RegexValidator(r"^\+[1-9][0-9]{6,14}$")


class Person(AuditedModel):
    """Identity as the person declared it; what was proven is in the KYC case.

    Sealed under two keys of the person: who they are is kept as long as the law on money laundering says, how to
    reach them only as long as they are with us.
    """

    personal_fields = {
        "first_name": "name",
        "last_name": "name",
        "email": "email",
        "phone": "phone",
        "date_of_birth": "date",
        "address_line1": "address",
        "address_line2": "address",
        "city": "place",
        "region": "place",
        "postal_code": "postcode",
        "tax_id": "document",
    }
    audit_redacted = ("citizenship", "tax_residence", "no_tax_id_reason")
    personal_permission = "clients.view_client"

    first_name = EncryptedTextField(_("first name"), max_length=100, subject="id")
    last_name = EncryptedTextField(_("last name"), max_length=100, subject="id")
    names = BlindWordsField(sources=("first_name", "last_name"))
    email = EncryptedTextField(
        _("e-mail"), max_length=254, subject="id", keep=ERASABLE, validators=[validate_email]
    )
    email_index = BlindIndexField(source="email", normalise="email", db_index=True)
    mailbox_index = BlindIndexField(source="email", normalise="mailbox", db_index=True)
    phone = EncryptedTextField(
        _("phone"), max_length=20, blank=True, subject="id", keep=ERASABLE,
        help_text=_("E.164"), validators=[E164],
    )  # fmt: skip
    phone_index = BlindIndexField(source="phone", normalise="phone", db_index=True)
    date_of_birth = EncryptedDateField(_("date of birth"), null=True, blank=True, subject="id")
    citizenship = models.CharField(_("citizenship"), max_length=2, blank=True)

    address_line1 = EncryptedTextField(
        _("street and number"), max_length=120, blank=True, subject="id"
    )
    address_line2 = EncryptedTextField(
        _("apartment, building"), max_length=120, blank=True, subject="id"
    )
    city = EncryptedTextField(_("town or city"), max_length=80, blank=True, subject="id")
    region = EncryptedTextField(_("region or state"), max_length=80, blank=True, subject="id")
    postal_code = EncryptedTextField(_("postal code"), max_length=16, blank=True, subject="id")
    country = models.CharField(_("country of residence"), max_length=2)

    tax_residence = models.CharField(_("tax residence"), max_length=2, blank=True)
    tax_id = EncryptedTextField(_("tax number"), max_length=40, blank=True, subject="id")
    tax_id_index = BlindIndexField(source="tax_id", normalise="compact", db_index=True)
    no_tax_id_reason = models.CharField(
        _("why there is no tax number"), max_length=1, blank=True, help_text=_("OECD CRS A, B, C")
    )

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="clients_person_country"
            ),
        ]
        indexes = [GinIndex(fields=["names"], name="clients_person_names")]

    def __str__(self) -> str:
        return said(self, "first_name", "last_name")

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def audit_client_id(self) -> UUID | None:
        """The client on whose timeline a change of this person is told."""
        return self.clients.order_by("created_at").values_list("id", flat=True).first()
