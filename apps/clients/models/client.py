"""The relationship between one person and one legal entity."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, transition

from apps.clients.enums import (
    Appropriateness,
    Category,
    ClientKind,
    DuplicateSignal,
    DuplicateState,
    KycStatus,
    Lifecycle,
    RiskRating,
)
from apps.clients.querysets import ClientOwnedQuerySet, ClientQuerySet, PairQuerySet
from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField


class Client(AuditedModel):
    """Three axes, never one status: `lifecycle`, `kyc_status` and the set of restrictions."""

    number = models.CharField(_("client number"), max_length=16, unique=True)
    kind = models.CharField(
        _("kind"), max_length=16, choices=ClientKind.choices, default=ClientKind.INDIVIDUAL
    )
    entity = models.ForeignKey(
        "clients.LegalEntity", models.PROTECT, related_name="clients", verbose_name=_("entity")
    )
    person = models.ForeignKey(
        "clients.Person", models.PROTECT, related_name="clients", verbose_name=_("person")
    )
    country = models.CharField(_("country of residence"), max_length=2)
    language = models.CharField(_("language"), max_length=8, default="en")
    category = models.CharField(
        _("category"), max_length=16, choices=Category.choices, default=Category.RETAIL
    )
    lifecycle = StateField(_("lifecycle"), default=Lifecycle.REGISTERED, choices=Lifecycle.choices)
    kyc_status = StateField(
        _("verification"), default=KycStatus.NOT_STARTED, choices=KycStatus.choices
    )
    kyc_level = models.PositiveSmallIntegerField(_("verified to level"), default=0)
    risk_rating = models.CharField(
        _("risk rating"), max_length=12, choices=RiskRating.choices, default=RiskRating.UNRATED
    )
    risk_score = models.PositiveSmallIntegerField(_("risk score"), null=True, blank=True)
    appropriateness = models.CharField(
        _("appropriateness"),
        max_length=16,
        choices=Appropriateness.choices,
        default=Appropriateness.NOT_ASSESSED,
    )
    appropriateness_score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True)
    pep_declared = models.BooleanField(_("declared politically exposed"), default=False)
    us_person = models.BooleanField(_("declared US person"), default=False)
    partner_code = models.CharField(_("partner code given"), max_length=40, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_clients",
        verbose_name=_("owner"),
    )
    desk = models.ForeignKey(
        "users.Desk",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="clients",
        verbose_name=_("desk"),
    )
    email_confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True)
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "person"], name="clients_one_relationship_per_entity"
            ),
            models.CheckConstraint(
                condition=models.Q(lifecycle__in=Lifecycle.values), name="clients_lifecycle_legal"
            ),
            models.CheckConstraint(
                condition=models.Q(kyc_status__in=KycStatus.values), name="clients_kyc_legal"
            ),
            models.CheckConstraint(
                condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="clients_client_country"
            ),
        ]
        indexes = [
            models.Index(fields=["lifecycle", "kyc_status"], name="clients_axes_idx"),
            models.Index(fields=["owner"], name="clients_owner_idx"),
            # a page of a list, newest first, for each width of scope
            models.Index(fields=["-created_at", "-id"], name="clients_newest"),
            models.Index(fields=["entity", "-created_at", "-id"], name="clients_newest_of_entity"),
            models.Index(fields=["desk", "-created_at", "-id"], name="clients_newest_of_desk"),
            models.Index(fields=["owner", "-created_at", "-id"], name="clients_newest_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.person}".strip()

    @property
    def audit_client_id(self) -> UUID:
        return self.id

    @property
    def verification(self) -> str:
        """The second axis under the name that screens use."""
        return self.kyc_status

    @property
    def verified(self) -> bool:
        return self.kyc_status in (KycStatus.APPROVED, KycStatus.REVIEW_DUE)

    @transition(lifecycle, source=Lifecycle.REGISTERED, target=Lifecycle.ONBOARDING)
    def begin_onboarding(self, *, by: Actor, reason: str) -> None:
        self.email_confirmed_at = clock.now()

    @transition(lifecycle, source=Lifecycle.ONBOARDING, target=Lifecycle.ACTIVE)
    def activate(self, *, by: Actor, reason: str) -> None:
        self.activated_at = clock.now()

    @transition(
        lifecycle, source=[Lifecycle.REGISTERED, Lifecycle.ONBOARDING], target=Lifecycle.REJECTED
    )
    def reject(self, *, by: Actor, reason: str) -> None:
        self.closed_at = clock.now()

    @transition(lifecycle, source=Lifecycle.ACTIVE, target=Lifecycle.DORMANT)
    def make_dormant(self, *, by: Actor, reason: str) -> None:
        """Nobody traded or moved money for long."""

    @transition(lifecycle, source=Lifecycle.DORMANT, target=Lifecycle.ACTIVE)
    def wake(self, *, by: Actor, reason: str) -> None:
        """The client is back."""

    @transition(
        lifecycle, source=[Lifecycle.ACTIVE, Lifecycle.DORMANT], target=Lifecycle.OFFBOARDING
    )
    def begin_offboarding(self, *, by: Actor, reason: str) -> None:
        """Money goes out and positions close from here on."""

    @transition(lifecycle, source=Lifecycle.OFFBOARDING, target=Lifecycle.CLOSED)
    def close(self, *, by: Actor, reason: str) -> None:
        self.closed_at = clock.now()

    @transition(kyc_status, source="*", target=RETURN_VALUE(*KycStatus.values))
    def take_verification(self, status: str, level: int, *, by: Actor, reason: str) -> str:
        """The KYC case is the source; this axis repeats its word."""
        self.kyc_level = level
        return KycStatus(status).value


class ClientLogin(AuditedModel):
    """Which user may act for which client. One person may sign in for several clients."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="client_logins")
    client = models.ForeignKey("clients.Client", models.PROTECT, related_name="logins")
    active = models.BooleanField(_("active"), default=True)

    objects = ClientOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("client login")
        verbose_name_plural = _("client logins")
        constraints = [
            models.UniqueConstraint(fields=["user", "client"], name="clients_login_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.client_id}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id


class EmailConfirmation(models.Model):
    """A link to be mailed. Only the hash of its token is kept: a leaked table opens nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    client = models.ForeignKey("clients.Client", models.PROTECT, related_name="email_confirmations")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = ClientOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("e-mail confirmation")
        verbose_name_plural = _("e-mail confirmations")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.client_id} {self.created_at:%Y-%m-%d}"


class DuplicateFlag(AuditedModel):
    """Two clients who may be one person. A question for staff, never told to the registrant."""

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="duplicate_flags", verbose_name=_("client")
    )
    other = models.ForeignKey(
        "clients.Client",
        models.PROTECT,
        related_name="duplicate_of_flags",
        verbose_name=_("looks like"),
    )
    signal = models.CharField(_("signal"), max_length=12, choices=DuplicateSignal.choices)
    state = StateField(_("state"), default=DuplicateState.OPEN, choices=DuplicateState.choices)

    objects = PairQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "other", "signal"], name="clients_duplicate_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(client=models.F("other")), name="clients_duplicate_of_another"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=DuplicateState.values), name="clients_duplicate_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} ~ {self.other_id}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    @transition(state, source=DuplicateState.OPEN, target=DuplicateState.DISMISSED)
    def dismiss(self, *, by: Actor, reason: str) -> None:
        """Two people after all."""

    @transition(state, source=DuplicateState.OPEN, target=DuplicateState.CONFIRMED)
    def confirm(self, *, by: Actor, reason: str) -> None:
        """One person with two relationships."""
