"""What partners earned, line by line, and what was paid to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.core.money import Money
from apps.ib.enums import AccrualState, PayoutState, TermKindChoice, TierModeChoice
from apps.ib.models.partner import Partner
from apps.ib.models.plan import PlanVersion
from apps.ib.querysets import AccrualQuerySet, PartnerOwnedQuerySet

A = AccrualState
P = PayoutState
NUMBER: dict[str, Any] = {"max_digits": 30, "decimal_places": 12}
FROZEN = (
    "deal_id", "client_id", "account_id", "partner_id", "introducer_id", "depth", "plan_version_id", "symbol",
    "asset_class", "lots", "kind", "mode", "base", "rate", "rate_currency", "entitlement",
    "paid_below", "exact", "fx_rate", "currency", "amount_minor", "inputs", "corrects_id",
    "reason", "earned_at", "created_at",
)  # fmt: skip


class Payout(AuditedModel):
    """One payment to a partner: the lines up to a cut-off, frozen, approved by another person, paid to the wallet."""

    number = models.CharField(_("number"), max_length=24, unique=True)
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="payouts", verbose_name=_("partner")
    )
    currency = models.CharField(_("currency"), max_length=8)
    amount_minor = models.DecimalField(
        _("amount, minor units"), max_digits=38, decimal_places=0, default=0
    )
    lines = models.PositiveIntegerField(_("lines"), default=0)
    cut_off = models.DateTimeField(_("earned until"))
    state = StateField(_("state"), default=P.DRAFT, choices=PayoutState.choices)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    entry_id = models.UUIDField(_("ledger entry"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)

    objects = PartnerOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner payout")
        verbose_name_plural = _("partner payouts")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=PayoutState.values), name="ib_payout_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="PAID", entry_id__isnull=False, paid_at__isnull=False)
                | ~models.Q(state="PAID"),
                name="ib_payout_paid_has_entry",
            ),
            models.UniqueConstraint(
                fields=["partner", "currency"],
                condition=~models.Q(state__in=[P.PAID, P.CANCELED]),
                name="ib_one_open_payout",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def audit_client_id(self) -> UUID:
        return self.partner.client_id

    @property
    def money(self) -> Money:
        return Money.from_minor(int(self.amount_minor), self.currency)

    @transition(state, source=P.DRAFT, target=P.CALCULATED)
    def calculate(self, *, by: Actor, reason: str) -> None:
        """The lines are frozen into it."""

    @transition(state, source=P.CALCULATED, target=P.PENDING_APPROVAL)
    def submit(self, *, by: Actor, reason: str) -> None:
        """Another person looks."""

    @transition(state, source=P.PENDING_APPROVAL, target=P.APPROVED)
    def approve(self, *, by: Actor, reason: str) -> None:
        """Enough people agreed."""

    @transition(state, source=P.APPROVED, target=P.PAID)
    def pay(self, *, by: Actor, reason: str) -> None:
        self.paid_at = clock.now()

    @transition(state, source=[P.DRAFT, P.CALCULATED, P.PENDING_APPROVAL], target=P.CANCELED)
    def cancel(self, *, by: Actor, reason: str) -> None:
        """Its lines are free for the next one."""


class Accrual(models.Model):
    """One line: what one partner earned on one deal, with every input that led to the figure.

    All but the state and the payout is frozen by a trigger. A correction is a new line with the opposite sign
    that points at the first.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    deal_id = models.CharField(_("deal"), max_length=64)
    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="+", verbose_name=_("client")
    )
    account_id = models.UUIDField(_("account"))
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="accruals", verbose_name=_("partner")
    )
    introducer = models.ForeignKey(
        Partner, models.PROTECT, related_name="+", verbose_name=_("introduced by")
    )
    depth = models.PositiveSmallIntegerField(_("distance"))
    plan_version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="accruals", verbose_name=_("plan version")
    )
    symbol = models.CharField(_("symbol"), max_length=24)
    asset_class = models.CharField(_("asset class"), max_length=16)
    lots = models.DecimalField(_("lots"), max_digits=16, decimal_places=4)
    kind = models.CharField(_("earns by"), max_length=16, choices=TermKindChoice.choices)
    mode = models.CharField(_("tiers"), max_length=12, choices=TierModeChoice.choices)
    base = models.DecimalField(_("base"), **NUMBER)
    rate = models.DecimalField(_("rate"), **NUMBER)
    rate_currency = models.CharField(_("currency of the rate"), max_length=8)
    entitlement = models.DecimalField(_("base × rate"), **NUMBER)
    paid_below = models.DecimalField(_("earned below"), **NUMBER)
    exact = models.DecimalField(_("before rounding"), **NUMBER)
    fx_rate = models.DecimalField(_("exchange rate"), **NUMBER)
    currency = models.CharField(_("currency"), max_length=8)
    amount_minor = models.DecimalField(_("amount, minor units"), max_digits=38, decimal_places=0)
    inputs = models.JSONField(_("inputs"))
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    state = StateField(_("state"), default=A.CALCULATED, choices=AccrualState.choices)
    payout = models.ForeignKey(
        Payout,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="accruals",
        verbose_name=_("payout"),
    )
    corrects = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reversal",
        verbose_name=_("corrects"),
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    earned_at = models.DateTimeField(_("earned"))
    created_at = models.DateTimeField(_("written"), default=clock.now)

    objects = AccrualQuerySet.as_manager()

    class Meta:
        verbose_name = _("commission line")
        verbose_name_plural = _("commission lines")
        ordering = ["-earned_at", "depth"]
        constraints = [
            models.UniqueConstraint(
                fields=["deal_id", "partner", "depth", "plan_version"],
                condition=models.Q(corrects=None),
                name="ib_accrual_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=AccrualState.values), name="ib_accrual_state"
            ),
            models.CheckConstraint(
                condition=models.Q(corrects=None, amount_minor__gte=0)
                | models.Q(corrects__isnull=False, amount_minor__lte=0),
                name="ib_accrual_sign",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[A.PAYABLE, A.PAID]) | models.Q(payout__isnull=False),
                name="ib_accrual_paid_by_a_payout",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-earned_at"], name="ib_accrual_partner_idx"),
            models.Index(fields=["client", "-earned_at"], name="ib_accrual_client_idx"),
            models.Index(fields=["introducer", "-earned_at"], name="ib_accrual_introducer_idx"),
            models.Index(
                fields=["partner", "currency"],
                condition=models.Q(payout=None),
                name="ib_accrual_unpaid_idx",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="frozen_line", operation=pgtrigger.UpdateOf(*FROZEN)),
            pgtrigger.Protect(name="kept_line", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.partner.code} {self.money}"

    @property
    def money(self) -> Money:
        return Money.from_minor(int(self.amount_minor), self.currency)

    @transition(state, source=A.CALCULATED, target=A.HELD)
    def hold(self, *, by: Actor, reason: str) -> None:
        """A rule wants a person to look before it counts."""

    @transition(state, source=A.HELD, target=A.CALCULATED)
    def release(self, *, by: Actor, reason: str) -> None:
        """Counts from now on."""

    @transition(state, source=[A.CALCULATED, A.CONFIRMED], target=A.CONFIRMED)
    def confirm(self, *, payout: Payout, by: Actor, reason: str) -> None:
        self.payout = payout

    @transition(state, source=A.CONFIRMED, target=A.CONFIRMED)
    def free(self, *, by: Actor, reason: str) -> None:
        """Its payout was canceled; the next one takes it."""
        self.payout = None

    @transition(state, source=A.CONFIRMED, target=A.PAYABLE)
    def make_payable(self, *, by: Actor, reason: str) -> None:
        """The payout was approved."""

    @transition(state, source=A.PAYABLE, target=A.PAID)
    def pay(self, *, by: Actor, reason: str) -> None:
        """In the partner's wallet."""

    @transition(state, source=[A.CALCULATED, A.HELD, A.CONFIRMED], target=A.REVERSED)
    def reverse(self, *, by: Actor, reason: str) -> None:
        """Taken back before it was paid, together with the line that corrects it."""
