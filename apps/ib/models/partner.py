"""Who introduces clients, under which agreement, below whom, and whom they introduced."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.ib.enums import OVER_STATES, AgreementState, AttributionSource
from apps.ib.querysets import (
    AttributionQuerySet,
    EdgeQuerySet,
    PartnerOwnedQuerySet,
    PartnerQuerySet,
)

A = AgreementState


class Partner(AuditedModel):
    """An introducing broker. Also a client: commission is paid into the client's wallet."""

    audit_redacted = ("name",)

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    client = models.OneToOneField(
        "clients.Client", models.PROTECT, related_name="partner", verbose_name=_("client")
    )
    currency = models.CharField(_("payout currency"), max_length=8)
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="managed_partners",
        verbose_name=_("partner manager"),
    )

    objects = PartnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    @property
    def audit_subject(self) -> UUID:
        return self.client_id

    @property
    def agreement(self) -> PartnerAgreement | None:
        """The latest agreement; its state is the partner's."""
        agreements = sorted(self.agreements.all(), key=lambda row: row.number)
        return agreements[-1] if agreements else None

    @property
    def state(self) -> str:
        agreement = self.agreement
        return agreement.state if agreement else AgreementState.APPLIED.value


class PartnerAgreement(AuditedModel):
    """The contract with a partner. At most one of a partner's agreements is not over."""

    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="agreements", verbose_name=_("partner")
    )
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    state = StateField(_("state"), default=A.APPLIED, choices=AgreementState.choices)
    applied_at = models.DateTimeField(_("applied"), default=clock.now)
    activated_at = models.DateTimeField(_("active since"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)

    objects = PartnerOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner agreement")
        verbose_name_plural = _("partner agreements")
        ordering = ["partner", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "number"], name="ib_agreement_number"),
            models.UniqueConstraint(
                fields=["partner"],
                condition=~models.Q(state__in=OVER_STATES),
                name="ib_one_open_agreement",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=AgreementState.values), name="ib_agreement_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner.code} #{self.number}"

    @property
    def audit_client_id(self) -> UUID:
        return self.partner.client_id

    @transition(state, source=A.APPLIED, target=A.UNDER_REVIEW)
    def begin_review(self, *, by: Actor, reason: str) -> None:
        """Somebody looks at it."""

    @transition(state, source=[A.APPLIED, A.UNDER_REVIEW], target=A.APPROVED)
    def approve(self, *, by: Actor, reason: str) -> None:
        """Accepted; active as soon as a plan is assigned."""

    @transition(state, source=[A.APPLIED, A.UNDER_REVIEW], target=A.REJECTED)
    def reject(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()

    @transition(state, source=[A.APPROVED, A.SUSPENDED], target=A.ACTIVE)
    def activate(self, *, by: Actor, reason: str) -> None:
        self.activated_at = self.activated_at or clock.now()

    @transition(state, source=A.ACTIVE, target=A.SUSPENDED)
    def suspend(self, *, by: Actor, reason: str) -> None:
        """Earns nothing from now on; the partners below go on."""

    @transition(state, source=[A.ACTIVE, A.SUSPENDED, A.APPROVED], target=A.TERMINATED)
    def terminate(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()


class TreeEdge(AuditedModel):
    """`child` works under `parent` from `valid_from` until `valid_to`.

    The database refuses two parents at one instant and any circle (migration `0002`).
    """

    parent = models.ForeignKey(
        Partner, models.PROTECT, related_name="edges_down", verbose_name=_("above")
    )
    child = models.ForeignKey(
        Partner, models.PROTECT, related_name="edges_up", verbose_name=_("below")
    )
    valid_from = models.DateTimeField(_("from"))
    valid_to = models.DateTimeField(_("until"), null=True, blank=True)

    objects = EdgeQuerySet.as_manager()

    class Meta:
        verbose_name = _("place in the tree")
        verbose_name_plural = _("places in the tree")
        ordering = ["child", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("child")), name="ib_edge_not_itself"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="ib_edge_forward",
            ),
        ]
        indexes = [models.Index(fields=["parent", "valid_from"], name="ib_edge_parent_idx")]

    def __str__(self) -> str:
        return f"{self.child.code} → {self.parent.code}"

    @property
    def audit_client_id(self) -> UUID:
        return self.child.client_id


class Attribution(AuditedModel):
    """Whose client this is, from when to when. Locked by the first deposit."""

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="attributions", verbose_name=_("client")
    )
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="attributions", verbose_name=_("partner")
    )
    source = models.CharField(_("source"), max_length=8, choices=AttributionSource.choices)
    valid_from = models.DateTimeField(_("from"))
    valid_to = models.DateTimeField(_("until"), null=True, blank=True)
    registered_at = models.DateTimeField(_("registered"), null=True, blank=True)
    first_deposit_at = models.DateTimeField(_("first deposit"), null=True, blank=True)

    objects = AttributionQuerySet.as_manager()

    class Meta:
        verbose_name = _("attribution")
        verbose_name_plural = _("attributions")
        ordering = ["-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="ib_attribution_forward",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "valid_from"], name="ib_attribution_partner_idx")
        ]

    def __str__(self) -> str:
        return f"{self.client_id} → {self.partner.code}"

    @property
    def locked(self) -> bool:
        return self.first_deposit_at is not None


class ReferralLink(AuditedModel):
    """An address that a partner hands out: `/r/<code>/`."""

    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="links", verbose_name=_("partner")
    )
    code = models.SlugField(_("code"), max_length=40, unique=True)
    label = models.CharField(_("label"), max_length=80)
    active = models.BooleanField(_("active"), default=True)

    objects = PartnerOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("referral link")
        verbose_name_plural = _("referral links")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.code

    @property
    def audit_client_id(self) -> UUID:
        return self.partner.client_id


class Click(AppendOnlyModel):
    """One visit through a link. The visitor is a daily digest, not a person."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(ReferralLink, models.PROTECT, related_name="clicks")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="clicks")
    visitor = models.CharField(_("visitor"), max_length=32)
    at = models.DateTimeField(_("at"), default=clock.now)

    objects = PartnerOwnedQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        ordering = ["-id"]
        indexes = [models.Index(fields=["partner", "at"], name="ib_click_partner_idx")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.at:%Y-%m-%d}"
