"""Money that came and fits nothing: nobody's yet, owed to somebody, and waiting for a person."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.core.money import Money
from apps.payments.enums import SuspenseKind, SuspenseState
from apps.payments.models.base import minor_units
from apps.payments.querysets import UnsortedQuerySet

S = SuspenseState


class SuspenseItem(AuditedModel):
    """One receipt in `SUSPENSE_UNALLOCATED`. It leaves to a client's wallet or back to the payer, with two people."""

    provider = models.ForeignKey(
        "payments.PaymentProvider", models.PROTECT, related_name="+", verbose_name=_("provider")
    )
    provider_payment_id = models.CharField(_("provider's id"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=SuspenseKind.choices)
    currency = models.CharField(_("currency"), max_length=12)
    amount_minor = minor_units(_("amount in minor units"))
    deposit = models.ForeignKey(
        "payments.Deposit", models.PROTECT, null=True, blank=True, related_name="suspense"
    )
    detail = models.CharField(_("what differs"), max_length=300)
    state = StateField(_("state"), default=S.OPEN, choices=S.choices)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    objects = UnsortedQuerySet.as_manager()

    class Meta:
        verbose_name = _("money in suspense")
        verbose_name_plural = _("money in suspense")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_payment_id"], name="payments_suspense_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=S.values, amount_minor__gt=0), name="payments_suspense_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} · {self.get_kind_display()}"

    @property
    def amount(self) -> Money:
        return Money.from_minor(int(self.amount_minor), self.currency)

    @property
    def ledger_owner(self) -> str:
        return f"suspense:{self.pk}"

    @property
    def audit_client_id(self) -> UUID | None:
        return self.deposit.client_id if self.deposit else None

    @transition(state, source=S.OPEN, target=S.PENDING_APPROVAL)
    def propose(self, *, by: Actor, reason: str) -> None:
        """A second person decides on what the first proposes."""

    @transition(state, source=S.PENDING_APPROVAL, target=S.OPEN)
    def reopen(self, *, by: Actor, reason: str) -> None:
        """The proposal was not agreed to."""

    @transition(state, source=S.PENDING_APPROVAL, target=S.ALLOCATED)
    def allocate(self, *, by: Actor, reason: str) -> None:
        self.resolved_at = clock.now()

    @transition(state, source=S.PENDING_APPROVAL, target=S.RETURNED)
    def give_back(self, *, by: Actor, reason: str) -> None:
        self.resolved_at = clock.now()
