"""Money coming in: what was asked (intent), what was tried (attempts), what arrived at the bank (settlement)."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.core.money import Money
from apps.payments.enums import AttemptState, CreditState, Method, PaymentState, SettlementState
from apps.payments.models.base import ClientMoney, minor_units
from apps.payments.querysets import ClientMoneyQuerySet, DepositPartQuerySet

P = PaymentState
C = CreditState
_OPEN = [P.CREATED, P.REQUIRES_ACTION, P.PROCESSING]


class Deposit(ClientMoney):
    """A client wants to pay in. `payment`, `credit` and `settlement` move independently of each other."""

    method = models.CharField(_("method"), max_length=16, choices=Method.choices)
    fee_minor = minor_units(_("fee"), default=0)
    payment = StateField(_("payment"), default=P.CREATED, choices=P.choices)
    credit = StateField(_("credit"), default=C.NOT_CREDITED, choices=C.choices)
    settlement = StateField(
        _("settlement"),
        default=SettlementState.UNSETTLED,
        choices=SettlementState.choices,
    )
    instrument = models.ForeignKey(
        "payments.PaymentInstrument",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="deposits",
        verbose_name=_("paid with"),
    )
    payer_matches = models.BooleanField(_("payer is the client"), default=True)
    first_deposit = models.BooleanField(_("first deposit"), default=False)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    why = models.CharField(_("why"), max_length=300, blank=True)
    expires_at = models.DateTimeField(_("expires"))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    credited_at = models.DateTimeField(_("credited"), null=True, blank=True)

    objects = ClientMoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("deposit")
        verbose_name_plural = _("deposits")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["client", "request_key"], name="payments_deposit_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, fee_minor__gte=0), name="payments_deposit_amount"
            ),
            models.CheckConstraint(
                condition=Q(payment__in=P.values, credit__in=C.values)
                & Q(settlement__in=SettlementState.values),
                name="payments_deposit_states",
            ),
            models.CheckConstraint(
                condition=~Q(credit=C.CREDITED) | Q(payment=P.SUCCEEDED),
                name="payments_deposit_credited_is_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-created_at"], name="payments_deposit_client"),
            models.Index(
                fields=["created_at"],
                condition=Q(payment__in=[P.CREATED, P.REQUIRES_ACTION, P.PROCESSING]),
                name="payments_deposit_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} · {self.get_method_display()}"

    @property
    def fee(self) -> Money:
        return Money.from_minor(int(self.fee_minor), self.currency)

    @property
    def net(self) -> Money:
        """What reaches the wallet."""
        return self.amount - self.fee

    @property
    def is_open(self) -> bool:
        return self.payment in _OPEN

    @transition(payment, source=P.CREATED, target=P.REQUIRES_ACTION)
    def await_payment(self, *, by: Actor, reason: str) -> None:
        """The hosted page is ready for the client."""

    @transition(payment, source=[P.CREATED, P.REQUIRES_ACTION], target=P.PROCESSING)
    def process(self, *, by: Actor, reason: str) -> None:
        """The client has paid; the provider is at work."""

    @transition(payment, source=[*_OPEN, P.EXPIRED], target=P.SUCCEEDED)
    def succeed(self, *, by: Actor, reason: str) -> None:
        """Also after it expired: some methods take longer than the page lives."""
        self.paid_at = clock.now()

    @transition(payment, source=_OPEN, target=P.FAILED)
    def fail(self, *, by: Actor, reason: str) -> None:
        self.why = reason[:300]

    @transition(payment, source=_OPEN, target=P.CANCELED)
    def cancel(self, *, by: Actor, reason: str) -> None:
        self.why = reason[:300]

    @transition(payment, source=_OPEN, target=P.EXPIRED)
    def expire(self, *, by: Actor, reason: str) -> None:
        self.why = reason[:300]

    @transition(payment, source=[*_OPEN, P.EXPIRED, P.FAILED, P.CANCELED], target=P.CONFLICTED)
    def conflict(self, *, by: Actor, reason: str) -> None:
        """Money came that is not what was asked for. It waits in suspense for a person."""
        self.why = reason[:300]
        self.paid_at = clock.now()

    @transition(credit, source=C.NOT_CREDITED, target=C.UNDER_REVIEW)
    def review(self, *, by: Actor, reason: str) -> None:
        self.why = reason[:300]

    @transition(credit, source=C.NOT_CREDITED, target=C.UNMATCHED)
    def suspend(self, *, by: Actor, reason: str) -> None:
        """The money stands in suspense."""

    @transition(credit, source=[C.NOT_CREDITED, C.UNDER_REVIEW], target=C.CREDITED)
    def credit_wallet(self, *, by: Actor, reason: str) -> None:
        self.credited_at = clock.now()

    @transition(credit, source=C.UNDER_REVIEW, target=C.REJECTED_RETURN)
    def refuse(self, *, by: Actor, reason: str) -> None:
        self.why = reason[:300]

    @transition(credit, source=C.REJECTED_RETURN, target=C.RETURNED)
    def give_back(self, *, by: Actor, reason: str) -> None:
        """The provider has sent it back to where it came from."""

    @transition(settlement, source=SettlementState.UNSETTLED, target=SettlementState.SETTLED)
    def settle(self, *, by: Actor, reason: str) -> None:
        """The provider paid it out to the house's bank."""

    @transition(settlement, source=SettlementState.SETTLED, target=SettlementState.RECONCILED)
    def reconcile(self, *, by: Actor, reason: str) -> None:
        """The bank's statement agrees."""


class DepositAttempt(AuditedModel):
    """One try at one provider, under a reference that is ours. `UNKNOWN` is asked about, never repeated."""

    deposit = models.ForeignKey(
        Deposit, models.PROTECT, related_name="attempts", verbose_name=_("deposit")
    )
    provider = models.ForeignKey(
        "payments.PaymentProvider", models.PROTECT, related_name="+", verbose_name=_("provider")
    )
    number = models.PositiveSmallIntegerField(_("number"))
    reference = models.CharField(_("our reference"), max_length=80, unique=True)
    provider_payment_id = models.CharField(_("provider's id"), max_length=120, blank=True)
    hosted_url = models.URLField(_("payment page"), max_length=500, blank=True)
    state = StateField(_("state"), default=AttemptState.STARTED, choices=AttemptState.choices)
    provider_status = models.CharField(_("provider's status"), max_length=40, blank=True)
    reported_minor = minor_units(_("amount reported"), null=True, blank=True)
    reported_currency = models.CharField(_("currency reported"), max_length=12, blank=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("last asked"), null=True, blank=True)

    objects = DepositPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("deposit attempt")
        verbose_name_plural = _("deposit attempts")
        ordering = ["deposit", "number"]
        constraints = [
            models.UniqueConstraint(fields=["deposit", "number"], name="payments_attempt_number"),
            models.UniqueConstraint(
                fields=["provider", "provider_payment_id"],
                condition=~Q(provider_payment_id=""),
                name="payments_attempt_provider_id",
            ),
            models.CheckConstraint(
                condition=Q(state__in=AttemptState.values), name="payments_attempt_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.number}"

    @property
    def audit_client_id(self) -> UUID:
        return self.deposit.client_id

    @transition(
        state, source=[AttemptState.STARTED, AttemptState.UNKNOWN], target=AttemptState.PENDING
    )
    def accept(self, *, by: Actor, reason: str) -> None:
        """The provider knows it."""

    @transition(
        state,
        source=[
            AttemptState.STARTED,
            AttemptState.PENDING,
            AttemptState.UNKNOWN,
            AttemptState.FAILED,
        ],
        target=AttemptState.CHARGED,
    )
    def charge(self, *, by: Actor, reason: str) -> None:
        """The payer was charged."""

    @transition(
        state,
        source=[AttemptState.STARTED, AttemptState.PENDING, AttemptState.UNKNOWN],
        target=AttemptState.FAILED,
    )
    def fail(self, *, by: Actor, reason: str) -> None:
        self.problem = reason[:300]

    @transition(state, source=AttemptState.STARTED, target=AttemptState.UNKNOWN)
    def lose(self, *, by: Actor, reason: str) -> None:
        self.problem = reason[:300]


class DepositSettlement(AppendOnlyModel):
    """What the provider paid out to the house for one deposit: gross less its own fee."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    deposit = models.OneToOneField(Deposit, models.PROTECT, related_name="settled")
    provider = models.ForeignKey("payments.PaymentProvider", models.PROTECT, related_name="+")
    reference = models.CharField(_("provider's reference"), max_length=120)
    gross_minor = minor_units(_("gross"))
    fee_minor = minor_units(_("provider's fee"))
    entry_id = models.UUIDField(_("ledger entry"))
    settled_at = models.DateTimeField(_("settled"), default=clock.now)

    objects = DepositPartQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("deposit settlement")
        verbose_name_plural = _("deposit settlements")
        ordering = ["-settled_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_minor__gt=0, fee_minor__gte=0), name="payments_settlement_amount"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def gross(self) -> Money:
        return Money.from_minor(int(self.gross_minor), self.deposit.currency)

    @property
    def fee(self) -> Money:
        return Money.from_minor(int(self.fee_minor), self.deposit.currency)
