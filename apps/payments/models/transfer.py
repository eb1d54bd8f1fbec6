"""Money that changes its place inside the house, over two systems that cannot commit together."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models.fields import StateField
from apps.payments.enums import Direction, TransferState
from apps.payments.models.base import ClientMoney
from apps.payments.querysets import ClientMoneyQuerySet

S = TransferState


class Transfer(ClientMoney):
    """A saga: taken from the source, in transit in the ledger, credited at the destination or put back.

    Internal by nature: no figure about deposits or withdrawals ever counts one.
    """

    account = models.ForeignKey(
        "accounts.TradingAccount",
        models.PROTECT,
        related_name="+",
        verbose_name=_("trading account"),
    )
    direction = models.CharField(_("direction"), max_length=16, choices=Direction.choices)
    state = StateField(_("state"), default=S.REQUESTED, choices=S.choices)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    why = models.CharField(_("why"), max_length=300, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("last tried"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = ClientMoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "request_key"], name="payments_transfer_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, state__in=S.values), name="payments_transfer_state"
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-created_at"], name="payments_transfer_client"),
            models.Index(
                fields=["created_at"],
                condition=~Q(state__in=["DEST_CREDITED", "COMPENSATED"]),
                name="payments_transfer_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} · {self.get_direction_display()}"

    @property
    def reference(self) -> str:
        """Under which the platform and the engine know it."""
        return f"transfer:{self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.state in (S.DEST_CREDITED, S.COMPENSATED)

    @transition(state, source=S.REQUESTED, target=S.SOURCE_DEBITED)
    def debit_source(self, *, by: Actor, reason: str) -> None:
        """The money has left the source and stands in transit."""

    @transition(state, source=[S.SOURCE_DEBITED, S.IN_TRANSIT, S.STUCK], target=S.IN_TRANSIT)
    def travel(self, *, by: Actor, reason: str) -> None:
        """The other side was asked and has not confirmed."""
        self.why = reason[:300]

    @transition(state, source=[S.SOURCE_DEBITED, S.IN_TRANSIT, S.STUCK], target=S.DEST_CREDITED)
    def arrive(self, *, by: Actor, reason: str) -> None:
        self.why = ""
        self.finished_at = clock.now()

    @transition(
        state, source=[S.REQUESTED, S.SOURCE_DEBITED, S.IN_TRANSIT, S.STUCK], target=S.COMPENSATED
    )
    def compensate(self, *, by: Actor, reason: str) -> None:
        """Whatever was taken is back."""
        self.why = reason[:300]
        self.finished_at = clock.now()

    @transition(state, source=[S.SOURCE_DEBITED, S.IN_TRANSIT], target=S.STUCK)
    def get_stuck(self, *, by: Actor, reason: str) -> None:
        """No answer for too long; people look, the machine goes on asking."""
        self.why = reason[:300]
