from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import AuditedModel
from apps.core.money import Money


def minor_units(verbose_name: Any, **kwargs: Any) -> models.DecimalField:
    """An amount in the currency's smallest unit, as the ledger keeps it."""
    return models.DecimalField(verbose_name, max_digits=38, decimal_places=0, **kwargs)  # type: ignore[arg-type]


class ClientMoney(AuditedModel):
    """An amount of one client. `request_key` makes a repeated request the same request."""

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="+", verbose_name=_("client")
    )
    currency = models.CharField(_("currency"), max_length=12)
    amount_minor = minor_units(_("amount in minor units"))
    request_key = models.CharField(_("request key"), max_length=200)

    class Meta:
        abstract = True

    @property
    def amount(self) -> Money:
        return Money.from_minor(int(self.amount_minor), self.currency)

    @property
    def short_id(self) -> str:
        """What people read to each other on the phone: the random tail of the id."""
        return str(self.pk)[-8:].upper()
