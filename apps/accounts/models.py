"""Platforms as data, accounts with their state, and everything that was asked of a platform."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.accounts.enums import (
    LIVE_STATES,
    AccountMode,
    AccountState,
    OperationKind,
    OperationState,
    PlatformKind,
    RightsLevel,
    ServerEnvironment,
)
from apps.accounts.querysets import AccountQuerySet, CatalogueQuerySet, OperationQuerySet
from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField

S = AccountState
O = OperationState  # noqa: E741


class Platform(AuditedModel):
    """A trading platform that the house runs or rents."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("adapter"), max_length=24, choices=PlatformKind.choices)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("platform")
        verbose_name_plural = _("platforms")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class PlatformServer(AuditedModel):
    """One server of a platform: an address of its own and logins of its own."""

    platform = models.ForeignKey(
        Platform, models.PROTECT, related_name="servers", verbose_name=_("platform")
    )
    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    address = models.CharField(
        _("address"), max_length=200, help_text=_("http://…, or simulator://platform in the demo")
    )
    environment = models.CharField(
        _("environment"), max_length=8, choices=ServerEnvironment.choices
    )
    timeout_ms = models.PositiveIntegerField(_("time-out, ms"), default=3000)
    active = models.BooleanField(_("takes new accounts"), default=True)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("platform server")
        verbose_name_plural = _("platform servers")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(timeout_ms__gte=1), name="accounts_server_timeout"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AccountGroup(AuditedModel):
    """A group on a server: the currency and the margin terms that its accounts share."""

    server = models.ForeignKey(
        PlatformServer, models.PROTECT, related_name="groups", verbose_name=_("server")
    )
    code = models.CharField(_("name on the platform"), max_length=64)
    currency = models.CharField(_("currency"), max_length=8)
    margin_call_percent = models.DecimalField(
        _("margin call, %"), max_digits=6, decimal_places=2, default=100
    )
    stop_out_percent = models.DecimalField(
        _("stop-out, %"), max_digits=6, decimal_places=2, default=50
    )

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("account group")
        verbose_name_plural = _("account groups")
        ordering = ["server", "code"]
        constraints = [
            models.UniqueConstraint(fields=["server", "code"], name="accounts_group_once"),
            models.CheckConstraint(
                condition=models.Q(
                    stop_out_percent__gt=0, margin_call_percent__gte=models.F("stop_out_percent")
                ),
                name="accounts_group_levels",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class AccountType(AuditedModel):
    """One line of the catalogue: what a client can choose, and who may choose it."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"))
    server = models.ForeignKey(
        PlatformServer, models.PROTECT, related_name="account_types", verbose_name=_("server")
    )
    mode = models.CharField(_("mode"), max_length=8, choices=AccountMode.choices)
    leverages = models.JSONField(_("leverages"))
    entities = models.JSONField(_("entities"))
    categories = models.JSONField(_("client categories"))
    min_kyc_level = models.PositiveSmallIntegerField(_("verification level needed"), default=1)
    max_per_client = models.PositiveSmallIntegerField(_("most per client"), default=5)
    offered = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("account type")
        verbose_name_plural = _("account types")
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mode__in=AccountMode.values), name="accounts_type_mode"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def currencies(self) -> list[str]:
        return sorted(row.currency for row in self.type_groups.all())


class AccountTypeGroup(AuditedModel):
    """In which group of the server an account of this type and currency is opened: exactly one."""

    account_type = models.ForeignKey(
        AccountType, models.PROTECT, related_name="type_groups", verbose_name=_("account type")
    )
    currency = models.CharField(_("currency"), max_length=8)
    group = models.ForeignKey(
        AccountGroup, models.PROTECT, related_name="type_groups", verbose_name=_("group")
    )

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("group of an account type")
        verbose_name_plural = _("groups of account types")
        ordering = ["account_type", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["account_type", "currency"], name="accounts_one_group_per_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_type} {self.currency} → {self.group}"


class TradingAccount(AuditedModel):
    """A client's account on a trading platform.

    `state` is what people decided. What the holder may do on the platform is derived from the state and the
    client's restrictions (`rights_wanted`); `rights_delivered` is what the platform confirmed.
    """

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="trading_accounts", verbose_name=_("client")
    )
    account_type = models.ForeignKey(
        AccountType, models.PROTECT, related_name="accounts", verbose_name=_("account type")
    )
    server = models.ForeignKey(
        PlatformServer, models.PROTECT, related_name="accounts", verbose_name=_("server")
    )
    group = models.ForeignKey(
        AccountGroup, models.PROTECT, related_name="accounts", verbose_name=_("group")
    )
    login = models.CharField(_("login"), max_length=32, null=True, blank=True)  # noqa: DJ001
    currency = models.CharField(_("currency"), max_length=8)
    leverage = models.PositiveIntegerField(_("leverage"))
    leverage_cap = models.PositiveIntegerField(_("leverage cap"))
    leverage_caps = models.JSONField(_("leverage caps by asset class"), default=dict)
    mode = models.CharField(_("mode"), max_length=8, choices=AccountMode.choices)
    state = StateField(_("state"), default=S.REQUESTED, choices=AccountState.choices)
    rights_wanted = models.CharField(
        _("rights due"), max_length=12, choices=RightsLevel.choices, default=RightsLevel.FULL
    )
    rights_delivered = models.CharField(
        _("rights confirmed by the platform"),
        max_length=12,
        choices=RightsLevel.choices,
        blank=True,
    )
    rights_delivered_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    request_key = models.CharField(_("request key"), max_length=80)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    activated_at = models.DateTimeField(_("active since"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("trading account")
        verbose_name_plural = _("trading accounts")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "request_key"], name="accounts_one_account_per_request"
            ),
            models.UniqueConstraint(
                fields=["server", "login"],
                condition=models.Q(login__isnull=False),
                name="accounts_login_once_per_server",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=AccountState.values), name="accounts_state_legal"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=LIVE_STATES) | models.Q(login__isnull=False),
                name="accounts_live_has_login",
            ),
            models.CheckConstraint(
                condition=models.Q(leverage__gte=1, leverage_cap__gte=1),
                name="accounts_leverage_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "state"], name="accounts_client_idx"),
            models.Index(fields=["state"], name="accounts_state_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.login or _('no login yet')} · {self.account_type} {self.currency}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES

    @property
    def rights_confirmed(self) -> bool:
        """Whether the platform has confirmed what is due; False means that delivery is under way."""
        return self.rights_wanted == self.rights_delivered

    @transition(state, source=S.REQUESTED, target=S.PENDING_APPROVAL)
    def ask_approval(self, *, by: Actor, reason: str) -> None:
        """A rule wants a person to look first."""

    @transition(state, source=[S.REQUESTED, S.PENDING_APPROVAL], target=S.PROVISIONING)
    def begin_provisioning(self, *, by: Actor, reason: str) -> None:
        """On its way to the platform."""

    @transition(state, source=S.PENDING_APPROVAL, target=S.REJECTED)
    def reject(self, *, by: Actor, reason: str) -> None:
        self.closed_at = clock.now()

    @transition(state, source=S.PROVISIONING, target=S.PROVISION_FAILED)
    def fail_provisioning(self, *, by: Actor, reason: str) -> None:
        """The platform refused; a person decides what is next."""

    @transition(state, source=S.PROVISION_FAILED, target=S.PROVISIONING)
    def retry_provisioning(self, *, by: Actor, reason: str) -> None:
        """Asked again, under a new reference, because the first was refused."""

    @transition(state, source=S.PROVISIONING, target=S.ACTIVE)
    def activate(self, *, login: str, by: Actor, reason: str) -> None:
        self.login = login
        self.activated_at = clock.now()

    @transition(state, source=[S.ACTIVE, S.READ_ONLY, S.DISABLED], target=S.CLOSE_ONLY)
    def make_close_only(self, *, by: Actor, reason: str) -> None:
        """Positions may be reduced, none opened."""

    @transition(state, source=[S.ACTIVE, S.CLOSE_ONLY, S.DISABLED], target=S.READ_ONLY)
    def make_read_only(self, *, by: Actor, reason: str) -> None:
        """The holder may look, and do nothing."""

    @transition(state, source=[S.ACTIVE, S.CLOSE_ONLY, S.READ_ONLY, S.DORMANT], target=S.DISABLED)
    def disable(self, *, by: Actor, reason: str) -> None:
        """The holder cannot even sign in."""

    @transition(state, source=[S.CLOSE_ONLY, S.READ_ONLY, S.DISABLED], target=S.ACTIVE)
    def reactivate(self, *, by: Actor, reason: str) -> None:
        """Everything that the client's own restrictions leave."""


class PlatformOperation(AuditedModel):
    """One thing asked of a platform under one reference of ours, and what became of it."""

    account = models.ForeignKey(
        TradingAccount, models.PROTECT, related_name="operations", verbose_name=_("account")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=OperationKind.choices)
    reference = models.CharField(_("our reference"), max_length=80, unique=True)
    request = models.JSONField(_("asked"))
    state = StateField(_("state"), default=O.REQUESTED, choices=OperationState.choices)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    adopted = models.BooleanField(_("adopted by reference"), default=False)
    result = models.JSONField(_("answer"), default=dict)
    error = models.CharField(_("last problem"), max_length=300, blank=True)
    sent_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("platform operation")
        verbose_name_plural = _("platform operations")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=OperationState.values),
                name="accounts_operation_state_legal",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=False, state__in=[O.DONE, O.FAILED])
                | models.Q(finished_at__isnull=True) & ~models.Q(state__in=[O.DONE, O.FAILED]),
                name="accounts_operation_finished",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="accounts_operation_idx"),
            models.Index(
                fields=["created_at"],
                condition=~models.Q(state__in=[O.DONE, O.FAILED]),
                name="accounts_operation_open_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference}"

    @property
    def audit_client_id(self) -> UUID:
        return self.account.client_id

    @property
    def is_finished(self) -> bool:
        return self.state in (O.DONE, O.FAILED)

    @transition(state, source=[O.REQUESTED, O.SENT, O.UNKNOWN], target=O.SENT)
    def send(self, *, by: Actor, reason: str) -> None:
        """About to leave. From here on it counts as possibly done until the platform says otherwise."""
        self.attempts += 1
        self.sent_at = clock.now()

    @transition(state, source=O.SENT, target=O.REQUESTED)
    def take_back(self, *, by: Actor, reason: str) -> None:
        """It certainly did not arrive: the platform could not be reached."""
        self.error = reason[:300]

    @transition(state, source=O.SENT, target=O.UNKNOWN)
    def lose(self, *, by: Actor, reason: str) -> None:
        """No usable answer. It may have been done."""
        self.error = reason[:300]

    @transition(state, source=O.SENT, target=O.DONE)
    def complete(self, *, result: dict[str, Any], adopted: bool, by: Actor, reason: str) -> None:
        self.result = result
        self.adopted = adopted
        self.error = ""
        self.finished_at = clock.now()

    @transition(state, source=O.SENT, target=O.FAILED)
    def fail(self, *, by: Actor, reason: str) -> None:
        self.error = reason[:300]
        self.finished_at = clock.now()
