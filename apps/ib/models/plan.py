"""What partners earn by: plans in versions, and who has which plan when."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.ib.calculations import Term, TermKind
from apps.ib.enums import TermKindChoice, TierModeChoice, VersionState
from apps.ib.models.partner import Partner
from apps.ib.querysets import DatedQuerySet, PlanQuerySet


class Plan(AuditedModel):
    """A way of earning with a name. Its rates are in its versions."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    currency = models.CharField(_("currency of rates"), max_length=8)
    tier_mode = models.CharField(_("tiers"), max_length=12, choices=TierModeChoice.choices)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("commission plan")
        verbose_name_plural = _("commission plans")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class PlanVersion(AuditedModel):
    """The rates from one moment on, until the next version's. Never changed once in force."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions", verbose_name=_("plan"))
    number = models.PositiveSmallIntegerField(_("version"))
    valid_from = models.DateTimeField(_("in force from"))
    state = StateField(_("state"), default=VersionState.DRAFT, choices=VersionState.choices)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan version")
        verbose_name_plural = _("plan versions")
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="ib_version_number"),
            models.UniqueConstraint(
                fields=["plan", "valid_from"],
                condition=models.Q(state="IN_FORCE"),
                name="ib_version_one_start",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=VersionState.values), name="ib_version_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan.code} v{self.number}"

    @transition(state, source=VersionState.DRAFT, target=VersionState.IN_FORCE)
    def publish(self, *, by: Actor, reason: str) -> None:
        """From here on it is history."""


class PlanLine(AuditedModel):
    """The term for one asset class, or for all others when `asset_class` is empty."""

    version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="lines", verbose_name=_("version")
    )
    asset_class = models.CharField(_("asset class"), max_length=16, blank=True)
    kind = models.CharField(_("earns by"), max_length=16, choices=TermKindChoice.choices)
    rates = models.JSONField(_("rates by distance"))
    reference_contract = models.DecimalField(
        _("standard contract"), max_digits=20, decimal_places=8, null=True, blank=True
    )
    lot_multiplier = models.DecimalField(
        _("lot multiplier"), max_digits=9, decimal_places=6, default=Decimal(1)
    )

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan line")
        verbose_name_plural = _("plan lines")
        ordering = ["version", "asset_class"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "asset_class"], name="ib_line_once_per_asset_class"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {', '.join(self.rates)}"

    @property
    def term(self) -> Term:
        return Term(
            kind=TermKind(self.kind),
            rates=tuple(Decimal(rate) for rate in self.rates),
            reference_contract=self.reference_contract,
            lot_multiplier=self.lot_multiplier,
        )


class PlanAssignment(AuditedModel):
    """By which plan a partner earns, from when to when; never by two at once (migration `0002`)."""

    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="assignments", verbose_name=_("partner")
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="assignments", verbose_name=_("plan")
    )
    valid_from = models.DateTimeField(_("from"))
    valid_to = models.DateTimeField(_("until"), null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan assignment")
        verbose_name_plural = _("plan assignments")
        ordering = ["partner", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="ib_assignment_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner.code}: {self.plan.code}"

    @property
    def audit_client_id(self) -> UUID:
        return self.partner.client_id
