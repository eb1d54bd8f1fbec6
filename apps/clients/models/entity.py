"""The licensed companies of the group: whoever books a client answers for them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.clients.enums import Regime
from apps.clients.querysets import EntityQuerySet
from apps.core.models import AuditedModel


class LegalEntity(AuditedModel):
    """A company that holds a licence. Loaded from `data/entities.toml` by `load_entities`."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=120)
    regime = models.CharField(_("regime"), max_length=24, choices=Regime.choices)
    regulator = models.CharField(_("regulator"), max_length=120)
    base_currency = models.CharField(_("base currency"), max_length=8)
    licence_text = models.TextField(_("licence text"))
    risk_warning = models.TextField(_("risk warning"))
    footer = models.TextField(_("footer"))
    support_email = models.EmailField(_("support e-mail"))
    losing_accounts_percent = models.DecimalField(
        _("retail accounts that lose money, %"), max_digits=5, decimal_places=2, null=True
    )
    active = models.BooleanField(_("takes new clients"), default=True)

    objects = EntityQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(losing_accounts_percent=None)
                | models.Q(losing_accounts_percent__gte=0, losing_accounts_percent__lte=100),
                name="clients_entity_losing_percent",
            ),
        ]

    def __str__(self) -> str:
        return self.code
