"""A human being, known once however many relationships there are."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.clients.querysets import PersonQuerySet
from apps.core.models import AuditedModel


class Person(AuditedModel):
    """Identity as the person declared it; what was proven is in the KYC case."""

    audit_redacted = {
        "email",
        "email_normalised",
        "phone",
        "date_of_birth",
        "tax_id",
        "address_line1",
        "address_line2",
        "postal_code",
    }

    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    email = models.EmailField(_("e-mail"))
    email_normalised = models.CharField(_("mailbox"), max_length=254, db_index=True)
    phone = models.CharField(
        _("phone"), max_length=20, blank=True, db_index=True, help_text=_("E.164")
    )
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    citizenship = models.CharField(_("citizenship"), max_length=2, blank=True)

    address_line1 = models.CharField(_("street and number"), max_length=120, blank=True)
    address_line2 = models.CharField(_("apartment, building"), max_length=120, blank=True)
    city = models.CharField(_("town or city"), max_length=80, blank=True)
    region = models.CharField(_("region or state"), max_length=80, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=16, blank=True)
    country = models.CharField(_("country of residence"), max_length=2)

    tax_residence = models.CharField(_("tax residence"), max_length=2, blank=True)
    tax_id = models.CharField(_("tax number"), max_length=40, blank=True)
    no_tax_id_reason = models.CharField(
        _("why there is no tax number"), max_length=1, blank=True, help_text=_("OECD CRS A, B, C")
    )

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["last_name", "first_name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="clients_person_country"
            ),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="clients_person_phone_e164",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def audit_client_id(self) -> UUID | None:
        """The client on whose timeline a change of this person is told."""
        return self.clients.order_by("created_at").values_list("id", flat=True).first()
