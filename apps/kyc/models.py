"""A case gathers what proves who a client is; a document is one file of it."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.core.privacy.blind import BlindIndexField
from apps.core.privacy.fields import EncryptedTextField
from apps.core.privacy.keys import Keep
from apps.kyc.enums import (
    CURRENT,
    PROVES,
    CaseRejectReason,
    CaseState,
    DocumentKind,
    DocumentState,
    Evidence,
    RejectReason,
    Side,
)
from apps.kyc.querysets import DocumentQuerySet, KycCaseQuerySet


def default_evidence() -> list[str]:
    """What is asked of everybody, before the rules have seen the answers."""
    return [Evidence.POI.value, Evidence.POA.value]


REVIEW_SLA = timedelta(hours=24)
CLAIM_TTL = timedelta(minutes=30)
OWNER = "case.client_id"


class KycCase(AuditedModel):
    """One client's verification. `client_comment` is read by the client, `internal_comment` never."""

    client = models.OneToOneField(
        "clients.Client", models.PROTECT, related_name="kyc_case", verbose_name=_("client")
    )
    state = StateField(_("state"), default=CaseState.NOT_STARTED, choices=CaseState.choices)
    level = models.PositiveSmallIntegerField(_("level"), default=0)
    round = models.PositiveSmallIntegerField(_("times submitted"), default=0)
    needed = models.JSONField(
        _("evidence asked for"), default=default_evidence, help_text=_("by the rules")
    )
    checks = models.JSONField(_("automatic checks"), default=list)
    risk = models.JSONField(_("risk arithmetic"), default=dict)
    client_comment = EncryptedTextField(_("comment to the client"), blank=True, subject="client_id")
    internal_comment = EncryptedTextField(_("internal comment"), blank=True, subject="client_id")
    reject_reason = models.CharField(
        _("why rejected"), max_length=24, choices=CaseRejectReason.choices, blank=True
    )
    claimed_by = models.ForeignKey(
        "users.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="claimed_kyc_cases",
        verbose_name=_("reviewer"),
    )
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    review_due_at = models.DateTimeField(_("decision due"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decision_id = models.UUIDField(_("rule decision"), null=True, blank=True)
    deposit_limit_minor = models.BigIntegerField(_("deposit limit, minor units"), null=True)
    withdrawal_limit_minor = models.BigIntegerField(_("withdrawal limit, minor units"), null=True)

    objects = KycCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("KYC case")
        verbose_name_plural = _("KYC cases")
        ordering = ["submitted_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=CaseState.values), name="kyc_case_state_legal"
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_by=None, claimed_at=None)
                | models.Q(claimed_by__isnull=False, claimed_at__isnull=False),
                name="kyc_case_claim_whole",
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_at"], name="kyc_case_queue_idx")]

    def __str__(self) -> str:
        return f"{self.client} · {self.get_state_display()}"

    def claim_holder(self) -> UUID | int | None:
        """Who holds the case now; a claim lapses after `CLAIM_TTL` without a decision."""
        if self.claimed_at is None or self.claimed_at + CLAIM_TTL <= clock.now():
            return None
        return self.claimed_by_id

    @transition(
        state,
        source=[
            CaseState.NOT_STARTED,
            CaseState.IN_PROGRESS,
            CaseState.REVIEW_DUE,
            CaseState.EXPIRED,
        ],
        target=CaseState.IN_PROGRESS,
    )
    def begin(self, *, by: Actor, reason: str) -> None:
        """The first document of a round."""

    @transition(
        state,
        source=[
            CaseState.IN_PROGRESS,
            CaseState.INFO_REQUESTED,
            CaseState.RESUBMISSION_REQUESTED,
        ],
        target=CaseState.SUBMITTED,
    )
    def submit(self, *, by: Actor, reason: str) -> None:
        self.round += 1
        self.submitted_at = clock.now()
        self.review_due_at = self.submitted_at + REVIEW_SLA
        self.client_comment = ""

    @transition(state, source=CaseState.SUBMITTED, target=CaseState.AUTO_CHECK)
    def start_checks(self, *, by: Actor, reason: str) -> None:
        self.checks = []

    @transition(state, source=CaseState.AUTO_CHECK, target=CaseState.MANUAL_REVIEW)
    def finish_checks(self, checks: list[dict[str, str]], *, by: Actor, reason: str) -> None:
        self.checks = checks

    @transition(
        state,
        source=[CaseState.MANUAL_REVIEW, CaseState.ESCALATED],
        target=CaseState.INFO_REQUESTED,
    )
    def request_information(self, comment: str, *, by: Actor, reason: str) -> None:
        self.client_comment = comment
        self._release()

    @transition(
        state,
        source=[CaseState.MANUAL_REVIEW, CaseState.ESCALATED],
        target=CaseState.RESUBMISSION_REQUESTED,
    )
    def request_resubmission(self, comment: str, *, by: Actor, reason: str) -> None:
        self.client_comment = comment
        self._release()

    @transition(state, source=CaseState.MANUAL_REVIEW, target=CaseState.ESCALATED)
    def escalate(self, *, by: Actor, reason: str) -> None:
        self._release()

    @transition(
        state, source=[CaseState.MANUAL_REVIEW, CaseState.ESCALATED], target=CaseState.APPROVED
    )
    def approve(self, level: int, *, by: Actor, reason: str) -> None:
        self.level = level
        self._decide(by)

    @transition(
        state, source=[CaseState.MANUAL_REVIEW, CaseState.ESCALATED], target=CaseState.REJECTED
    )
    def reject(self, code: str, *, by: Actor, reason: str) -> None:
        self.reject_reason = code
        self._decide(by)

    @transition(state, source=[CaseState.APPROVED, CaseState.REVIEW_DUE], target=CaseState.EXPIRED)
    def expire(self, *, by: Actor, reason: str) -> None:
        """A document ran out and nothing replaced it."""

    @transition(
        state,
        source=[
            CaseState.NOT_STARTED,
            CaseState.IN_PROGRESS,
            CaseState.INFO_REQUESTED,
            CaseState.RESUBMISSION_REQUESTED,
        ],
        target=CaseState.WITHDRAWN,
    )
    def withdraw(self, *, by: Actor, reason: str) -> None:
        self._decide(by)

    def _decide(self, by: Actor) -> None:
        self.decided_at = clock.now()
        self.decided_by = by.label
        self._release()

    def _release(self) -> None:
        self.claimed_by = None
        self.claimed_at = None


class Document(AuditedModel):
    """One file. It lies in the vault under its id; no name that the client chose is ever a path."""

    personal_fields = {"number": "document", "original_name": "free"}
    audit_redacted = ("issued_on", "expires_on", "country")

    case = models.ForeignKey(
        KycCase, models.PROTECT, related_name="documents", verbose_name=_("case")
    )
    kind = models.CharField(_("kind"), max_length=24, choices=DocumentKind.choices)
    side = models.CharField(_("side"), max_length=8, choices=Side.choices, default=Side.WHOLE)
    country = models.CharField(_("issued in"), max_length=2, blank=True)
    number = EncryptedTextField(_("number"), max_length=40, blank=True, subject=OWNER)
    number_index = BlindIndexField(source="number", db_index=True)
    issued_on = models.DateField(_("issued"), null=True, blank=True)
    expires_on = models.DateField(_("expires"), null=True, blank=True)
    state = StateField(_("state"), default=DocumentState.UPLOADED, choices=DocumentState.choices)
    reject_reason = models.CharField(
        _("why rejected"), max_length=24, choices=RejectReason.choices, blank=True
    )
    reject_final = models.BooleanField(_("may not be sent again"), default=False)
    client_comment = EncryptedTextField(_("comment to the client"), blank=True, subject=OWNER)
    internal_comment = EncryptedTextField(_("internal comment"), blank=True, subject=OWNER)
    original_name = EncryptedTextField(
        _("file name"), max_length=120, subject=OWNER, keep=Keep.ERASABLE
    )
    content_type = models.CharField(_("type"), max_length=40)
    size_bytes = models.PositiveIntegerField(_("size, bytes"))
    width = models.PositiveIntegerField(_("width, pixels"), null=True)
    height = models.PositiveIntegerField(_("height, pixels"), null=True)
    source_sha256 = EncryptedTextField(_("SHA-256 as sent"), max_length=64, subject=OWNER)
    source_index = BlindIndexField(source="source_sha256", normalise="plain", db_index=True)
    stored_sha256 = EncryptedTextField(_("SHA-256 as kept"), max_length=64, subject=OWNER)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DocumentState.values), name="kyc_document_state_legal"
            ),
            models.CheckConstraint(
                condition=models.Q(issued_on=None)
                | models.Q(expires_on=None)
                | models.Q(expires_on__gt=models.F("issued_on")),
                name="kyc_document_dates_in_order",
            ),
            models.UniqueConstraint(
                fields=["case", "kind", "side"],
                condition=models.Q(state__in=[state.value for state in sorted(CURRENT)]),
                name="kyc_document_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_side_display()})"

    @property
    def audit_client_id(self) -> UUID:
        return self.case.client_id

    @property
    def proves(self) -> Evidence:
        return PROVES[self.kind]

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/")

    def has_expired(self, on: date) -> bool:
        return self.expires_on is not None and self.expires_on <= on

    @transition(state, source=DocumentState.UPLOADED, target=DocumentState.PROCESSING)
    def start_processing(self, *, by: Actor, reason: str) -> None:
        """Handed in with the case; the client cannot take it back any more."""

    @transition(
        state,
        source=[DocumentState.UPLOADED, DocumentState.PROCESSING],
        target=DocumentState.ACCEPTED,
    )
    def accept(self, *, by: Actor, reason: str) -> None:
        self._decide(by)

    @transition(
        state,
        source=[DocumentState.UPLOADED, DocumentState.PROCESSING, DocumentState.ACCEPTED],
        target=DocumentState.REJECTED,
    )
    def reject(self, code: str, *, comment: str, final: bool, by: Actor, reason: str) -> None:
        self.reject_reason = code
        self.reject_final = final
        self.client_comment = comment
        self._decide(by)

    @transition(
        state,
        source=[
            DocumentState.UPLOADED,
            DocumentState.REJECTED,
            DocumentState.ACCEPTED,
            DocumentState.EXPIRING,
        ],
        target=DocumentState.SUPERSEDED,
    )
    def supersede(self, *, by: Actor, reason: str) -> None:
        """A newer file of the same kind and side took its place."""

    @transition(state, source=DocumentState.ACCEPTED, target=DocumentState.EXPIRING)
    def near_expiry(self, *, by: Actor, reason: str) -> None:
        """Sixty days or less are left."""

    @transition(
        state,
        source=[DocumentState.ACCEPTED, DocumentState.EXPIRING],
        target=DocumentState.EXPIRED,
    )
    def expire(self, *, by: Actor, reason: str) -> None:
        """Its date has passed."""

    def _decide(self, by: Actor) -> None:
        self.decided_at = clock.now()
        self.decided_by = by.label
