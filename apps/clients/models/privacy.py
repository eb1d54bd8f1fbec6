"""What a person may ask of us about their data, what forbids us to forget, and the proof that we did."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.clients.enums import (
    PrivacyRequestKind,
    PrivacyRequestState,
    RetentionRunState,
    RetentionStart,
)
from apps.clients.querysets import ClientOwnedQuerySet, EntityRuleQuerySet
from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.core.privacy.registry import DataClass
from apps.core.querysets import MachineryQuerySet

S = PrivacyRequestState
R = RetentionRunState


class RetentionRule(AuditedModel):
    """How long one class of data is kept, by one company or by all. Loaded from `data/retention.toml`."""

    entity = models.ForeignKey(
        "clients.LegalEntity", models.PROTECT, null=True, blank=True, related_name="retention_rules",
        verbose_name=_("entity"), help_text=_("empty: every company without a rule of its own"),
    )  # fmt: skip
    data_class = models.CharField(_("class of data"), max_length=16, choices=DataClass.choices)
    years = models.PositiveSmallIntegerField(_("years"))
    starts = models.CharField(_("counted from"), max_length=20, choices=RetentionStart.choices)
    basis = models.CharField(_("why, as the person reads it"), max_length=300)
    source = models.CharField(_("source"), max_length=300)

    objects = EntityRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        ordering = ["data_class", "entity"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "data_class"],
                name="clients_retention_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(data_class__in=DataClass.values, starts__in=RetentionStart.values),
                name="clients_retention_codes",
            ),
            models.CheckConstraint(condition=Q(years__lte=30), name="clients_retention_years"),
        ]

    def __str__(self) -> str:
        return f"{self.get_data_class_display()} · {self.years}"


class LegalHold(AuditedModel):
    """Nothing of this client is erased while it stands. The client is never told of it."""

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="legal_holds", verbose_name=_("client")
    )
    reason = models.CharField(_("reason"), max_length=300)
    placed_by = models.CharField(_("placed by"), max_length=80)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.CharField(_("lifted by"), max_length=80, blank=True)
    lift_reason = models.CharField(_("why it was lifted"), max_length=300, blank=True)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)

    objects = ClientOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & Q(approval_id__isnull=False)),
                name="clients_hold_end_has_author",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.created_at:%Y-%m-%d}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    def lift(self, approval_id: UUID, *, by: Actor, reason: str) -> None:
        self.lifted_at = clock.now()
        self.lifted_by = by.id
        self.lift_reason = reason[:300]
        self.approval_id = approval_id


class PrivacyRequest(AuditedModel):
    """A person asks for their data, or for its end. The law gives a month to answer (GDPR Art. 12(3))."""

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="privacy_requests", verbose_name=_("client")
    )
    kind = models.CharField(_("asks for"), max_length=12, choices=PrivacyRequestKind.choices)
    state = StateField(_("state"), default=S.REQUESTED, choices=S.choices)
    asked_by = models.CharField(_("asked by"), max_length=80)
    due_at = models.DateTimeField(_("due"))
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    assessment = models.JSONField(_("what may go and what must stay"), default=list)
    certificate = models.JSONField(_("certificate"), default=dict)
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)
    expires_at = models.DateTimeField(_("to be fetched until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = ClientOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=S.values), name="clients_privacy_state"),
            models.CheckConstraint(
                condition=Q(kind__in=PrivacyRequestKind.values), name="clients_privacy_kind"
            ),
            models.UniqueConstraint(
                fields=["client", "kind"],
                condition=Q(state__in=[S.REQUESTED, S.PENDING_APPROVAL]),
                name="clients_privacy_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_state_display()}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    @property
    def is_open(self) -> bool:
        return self.state in (S.REQUESTED, S.PENDING_APPROVAL)

    @transition(state, source=S.REQUESTED, target=S.PENDING_APPROVAL)
    def propose(self, approval_id: UUID, *, by: Actor, reason: str) -> None:
        self.approval_id = approval_id

    @transition(state, source=[S.REQUESTED, S.PENDING_APPROVAL], target=S.REFUSED)
    def refuse(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()

    @transition(state, source=S.PENDING_APPROVAL, target=S.ERASED)
    def erase(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()

    @transition(state, source=S.REQUESTED, target=S.READY)
    def make_ready(self, *, by: Actor, reason: str) -> None:
        self.ready_at = clock.now()

    @transition(state, source=S.READY, target=S.FETCHED)
    def fetch(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()

    @transition(state, source=S.READY, target=S.EXPIRED)
    def expire(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()


class Erasure(AppendOnlyModel):
    """Proof, without a name: which class of which client's data was erased, when, on whose word and why."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="erasures", verbose_name=_("client")
    )
    data_class = models.CharField(_("class of data"), max_length=16, choices=DataClass.choices)
    at = models.DateTimeField(_("at"), default=clock.now)
    by = models.CharField(_("by"), max_length=80)
    basis = models.CharField(_("because"), max_length=300)
    rows = models.JSONField(_("rows"), default=dict)
    keys = models.JSONField(_("keys destroyed"), default=list)

    objects = ClientOwnedQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(data_class__in=DataClass.values), name="clients_erasure_class"
            ),
        ]
        indexes = [models.Index(fields=["client", "data_class"], name="clients_erasure_client")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.data_class}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id


class RetentionRun(AuditedModel):
    """What has passed its date: shown first, agreed to by a second person, purged then."""

    state = StateField(_("state"), default=R.PREVIEW, choices=R.choices)
    as_of = models.DateField(_("as of"))
    due = models.JSONField(_("due"), default=list)
    purged = models.JSONField(_("purged"), default=list)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=R.values), name="clients_run_state"),
        ]

    def __str__(self) -> str:
        return f"{self.as_of} · {self.get_state_display()}"

    @transition(state, source=R.PREVIEW, target=R.PENDING_APPROVAL)
    def propose(self, approval_id: UUID, *, by: Actor, reason: str) -> None:
        self.approval_id = approval_id

    @transition(state, source=R.PENDING_APPROVAL, target=R.DONE)
    def finish(self, purged: list[dict[str, str]], *, by: Actor, reason: str) -> None:
        self.purged = purged
        self.done_at = clock.now()

    @transition(state, source=[R.PREVIEW, R.PENDING_APPROVAL], target=R.DROPPED)
    def drop(self, *, by: Actor, reason: str) -> None:
        self.done_at = clock.now()
