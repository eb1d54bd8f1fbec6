"""Money going out."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel
from apps.core.models.fields import StateField
from apps.core.money import Money
from apps.payments.enums import CANCELABLE, CheckResult, Method, WithdrawalState
from apps.payments.models.base import ClientMoney, minor_units
from apps.payments.querysets import CheckQuerySet, ClientMoneyQuerySet

S = WithdrawalState


class Withdrawal(ClientMoney):
    """A client wants money back. The hold in the ledger lives exactly as long as this is open."""

    method = models.CharField(_("method"), max_length=16, choices=Method.choices)
    provider = models.ForeignKey(
        "payments.PaymentProvider", models.PROTECT, related_name="+", verbose_name=_("provider")
    )
    destination = models.ForeignKey(
        "payments.PaymentInstrument",
        models.PROTECT,
        related_name="withdrawals",
        verbose_name=_("destination"),
    )
    fee_minor = minor_units(_("fee"), default=0)
    state = StateField(_("state"), default=S.REQUESTED, choices=S.choices)
    outcome = models.CharField(_("ended as"), max_length=16, blank=True, choices=S.choices)
    hold = models.ForeignKey(
        "ledger.Transfer", models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_by = models.CharField(_("asked by"), max_length=64)
    approvals_required = models.PositiveSmallIntegerField(_("approvals needed"), default=0)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    flagged = models.TextField(_("why it was flagged"), blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    asked_at = models.DateTimeField(_("provider last asked"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    provider_payout_id = models.CharField(_("provider's id"), max_length=120, blank=True)
    why = models.CharField(_("why it ended"), max_length=300, blank=True)

    objects = ClientMoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "request_key"], name="payments_withdrawal_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=models.F("fee_minor"), fee_minor__gte=0),
                name="payments_withdrawal_amount",
            ),
            models.CheckConstraint(
                condition=Q(state__in=S.values), name="payments_withdrawal_state"
            ),
            models.CheckConstraint(
                condition=Q(state=S.REQUESTED) | Q(hold__isnull=False),
                name="payments_withdrawal_held",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_payout_id"],
                condition=~Q(provider_payout_id=""),
                name="payments_withdrawal_provider_id",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-created_at"], name="payments_withdrawal_client"),
            models.Index(
                fields=["created_at"],
                condition=~Q(state__in=["SETTLED", "RELEASED"]),
                name="payments_withdrawal_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} · {self.get_method_display()}"

    @property
    def fee(self) -> Money:
        return Money.from_minor(int(self.fee_minor), self.currency)

    @property
    def net(self) -> Money:
        """What reaches the client's bank or card."""
        return self.amount - self.fee

    @property
    def reference(self) -> str:
        """Under which the provider knows it, whatever happens to the answer."""
        return f"withdrawal:{self.pk}"

    @property
    def is_cancelable(self) -> bool:
        return self.state in CANCELABLE

    @property
    def shown_state(self) -> str:
        """What a person understands: how it ended rather than where the money is."""
        return self.outcome or self.state

    @transition(state, source=S.REQUESTED, target=S.FUNDS_HELD)
    def hold_funds(self, *, by: Actor, reason: str) -> None:
        """The money can no longer be spent elsewhere."""

    @transition(state, source=S.FUNDS_HELD, target=S.CHECKS)
    def begin_checks(self, *, by: Actor, reason: str) -> None:
        self.checked_at = clock.now()

    @transition(state, source=S.CHECKS, target=S.PENDING_APPROVAL)
    def await_approval(self, *, by: Actor, reason: str) -> None:
        self.flagged = reason

    @transition(state, source=[S.CHECKS, S.PENDING_APPROVAL], target=S.APPROVED)
    def approve(self, *, by: Actor, reason: str) -> None:
        self.approved_at = clock.now()

    @transition(state, source=S.APPROVED, target=S.SUBMITTED)
    def submit(self, *, by: Actor, reason: str) -> None:
        """Written before anything leaves, so that a crash in between is asked about, not repeated."""
        self.submitted_at = clock.now()

    @transition(state, source=[S.SUBMITTED, S.UNKNOWN, S.ASSISTANCE], target=S.SENT)
    def send(self, *, by: Actor, reason: str) -> None:
        self.sent_at = clock.now()

    @transition(state, source=S.SUBMITTED, target=S.UNKNOWN)
    def lose(self, *, by: Actor, reason: str) -> None:
        """Sent and not answered. It may have happened."""

    @transition(state, source=[S.SUBMITTED, S.UNKNOWN], target=S.ASSISTANCE)
    def ask_assistance(self, *, by: Actor, reason: str) -> None:
        """The provider does not know it, long after it was sent: a person asks the provider."""
        self.why = reason[:300]

    @transition(state, source=[S.SUBMITTED, S.SENT, S.UNKNOWN, S.ASSISTANCE], target=S.SETTLED)
    def settle(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()
        self.outcome = S.SETTLED

    @transition(state, source=[S.CHECKS, S.PENDING_APPROVAL], target=S.REJECTED)
    def reject(self, *, by: Actor, reason: str) -> None:
        self._end(S.REJECTED, reason)

    @transition(state, source=list(CANCELABLE), target=S.CANCELED)
    def cancel(self, *, by: Actor, reason: str) -> None:
        self._end(S.CANCELED, reason)

    @transition(state, source=[S.SUBMITTED, S.SENT, S.UNKNOWN, S.ASSISTANCE], target=S.FAILED)
    def fail(self, *, by: Actor, reason: str) -> None:
        self._end(S.FAILED, reason)

    @transition(state, source=[S.SENT, S.SETTLED], target=S.RETURNED)
    def give_back(self, *, by: Actor, reason: str) -> None:
        """The bank sent it back, perhaps days after it was paid."""
        self._end(S.RETURNED, reason)

    @transition(state, source=[S.REJECTED, S.CANCELED, S.FAILED, S.RETURNED], target=S.RELEASED)
    def release(self, *, by: Actor, reason: str) -> None:
        """The money is free in the wallet again."""

    def _end(self, outcome: WithdrawalState, reason: str) -> None:
        self.outcome = outcome
        self.why = reason[:300]
        self.ended_at = clock.now()


class WithdrawalCheck(AppendOnlyModel):
    """One line of the check list as it came out in one run, with what was seen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    withdrawal = models.ForeignKey(
        Withdrawal, models.PROTECT, related_name="checks", verbose_name=_("withdrawal")
    )
    run = models.PositiveIntegerField(_("run"))
    position = models.PositiveSmallIntegerField()
    code = models.CharField(_("check"), max_length=40)
    result = models.CharField(_("result"), max_length=8, choices=CheckResult.choices)
    evidence = models.CharField(_("evidence"), max_length=300)
    at = models.DateTimeField(_("at"), default=clock.now)

    objects = CheckQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("withdrawal check")
        verbose_name_plural = _("withdrawal checks")
        ordering = ["-run", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["withdrawal", "run", "code"], name="payments_check_once_per_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.result}"

    @property
    def audit_client_id(self) -> UUID:
        return self.withdrawal.client_id
