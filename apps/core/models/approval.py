from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.models.base import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.core.querysets import ScopedQuerySet


class ApprovalQuerySet(ScopedQuerySet):
    scope_paths = {"entity": "entity", "desk": "desk_id"}


class Approval(AuditedModel):
    """A change that waits for other people. What runs in the end is exactly what was asked for: `payload_hash`."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("pending")
        APPROVED = "APPROVED", _("approved")
        REJECTED = "REJECTED", _("rejected")
        EXPIRED = "EXPIRED", _("expired")
        WITHDRAWN = "WITHDRAWN", _("withdrawn")

    action = models.CharField(_("action"), max_length=80)
    title = models.CharField(_("what"), max_length=200)
    subject_type = models.CharField(_("subject type"), max_length=80, blank=True)
    subject_id = models.CharField(_("subject id"), max_length=64, blank=True)
    entity = models.CharField(_("entity"), max_length=20, blank=True)
    desk_id = models.BigIntegerField(null=True, blank=True)
    client_id = models.UUIDField(_("client"), null=True, blank=True)
    payload = models.JSONField(_("change"))
    payload_hash = models.CharField(max_length=64)
    maker_id = models.CharField(_("asked by"), max_length=64)
    maker_label = models.CharField(_("asked by"), max_length=200)
    reason = models.TextField(_("reason"), blank=True)
    required = models.PositiveSmallIntegerField(_("approvals needed"))
    permission = models.CharField(_("permission"), max_length=120)
    state = StateField(_("state"), default=State.PENDING, choices=State.choices)
    expires_at = models.DateTimeField(_("expires at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ("-created_at",)
        permissions = [("vote_approval", "Decide on pending approvals")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["PENDING", "APPROVED", "REJECTED", "EXPIRED", "WITHDRAWN"]),
                name="approval_state",
            ),
            models.CheckConstraint(condition=Q(required__gte=1), name="approval_required"),
            models.UniqueConstraint(fields=["id", "maker_id"], name="approval_maker"),
        ]
        indexes = [
            models.Index(
                fields=["-created_at"], condition=Q(state="PENDING"), name="approval_open"
            ),
            models.Index(fields=["subject_type", "subject_id"], name="approval_subject"),
        ]

    def __str__(self) -> str:
        return self.title

    @transition(state, source=State.PENDING, target=State.APPROVED)
    def approve(self, *, by: Any, reason: str) -> None:
        self.decided_at = clock.now()

    @transition(state, source=State.PENDING, target=State.REJECTED)
    def reject(self, *, by: Any, reason: str) -> None:
        self.decided_at = clock.now()

    @transition(state, source=State.PENDING, target=State.EXPIRED)
    def expire(self, *, by: Any, reason: str) -> None:
        self.decided_at = clock.now()

    @transition(state, source=State.PENDING, target=State.WITHDRAWN)
    def withdraw(self, *, by: Any, reason: str) -> None:
        self.decided_at = clock.now()


class ApprovalVote(AppendOnlyModel):
    """One person's decision. The database refuses the maker's own vote and a second vote."""

    class Verdict(models.TextChoices):
        APPROVE = "APPROVE", _("approve")
        REJECT = "REJECT", _("reject")

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, models.PROTECT, related_name="votes")
    maker_id = models.CharField(max_length=64)
    voter_id = models.CharField(_("decided by"), max_length=64)
    voter_label = models.CharField(_("decided by"), max_length=200)
    verdict = models.CharField(_("decision"), max_length=8, choices=Verdict)
    reason = models.TextField(_("reason"))
    payload_hash = models.CharField(max_length=64)
    at = models.DateTimeField(_("at"), default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["approval", "voter_id"], name="vote_once"),
            models.CheckConstraint(
                condition=~Q(voter_id=models.F("maker_id")), name="vote_not_by_maker"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["APPROVE", "REJECT"]), name="vote_verdict"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voter_label}: {self.verdict}"
