from __future__ import annotations

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.models.base import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.core.querysets import ScopedQuerySet

VOTE_IS_ON_THE_PRESENT_CHANGE = """
    SELECT * INTO asked FROM core_approval WHERE id = NEW.approval_id FOR NO KEY UPDATE;
    IF asked.state <> 'PENDING' THEN
        RAISE EXCEPTION 'approval % is % and takes no votes', NEW.approval_id, asked.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF asked.round <> NEW.round OR asked.payload_hash <> NEW.payload_hash THEN
        RAISE EXCEPTION 'the vote is on another version of change %', NEW.approval_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.voter_id = ANY(asked.beneficiary_ids) OR NEW.authority = ANY(asked.beneficiary_ids) THEN
        RAISE EXCEPTION 'who gains from change % has no vote', NEW.approval_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM core_approvalvote other WHERE other.approval_id = NEW.approval_id
        AND other.round = NEW.round AND (other.voter_id IN (NEW.voter_id, NEW.authority)
        OR other.authority IN (NEW.voter_id, NEW.authority))
    ) THEN
        RAISE EXCEPTION 'the same person decides twice on change %', NEW.approval_id
            USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
"""

ENDED_STAYS_ENDED = """
    IF OLD.state IN ('APPROVED', 'REJECTED', 'EXPIRED', 'WITHDRAWN') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'approval % has ended as %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.payload, NEW.payload_hash, NEW.base) IS DISTINCT FROM (OLD.payload, OLD.payload_hash, OLD.base)
            AND NEW.round <= OLD.round THEN
        RAISE EXCEPTION 'another change is a new round of approval %', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.maker_id, NEW.action, NEW.beneficiary_ids) IS DISTINCT FROM
            (OLD.maker_id, OLD.action, OLD.beneficiary_ids) THEN
        RAISE EXCEPTION 'who asked for approval %, for what and for whom stays', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class Severity(models.TextChoices):
    NORMAL = "NORMAL", _("normal")
    HIGH = "HIGH", _("high")
    CRITICAL = "CRITICAL", _("critical")


class ApprovalPolicy(AuditedModel):
    """One version of who must agree to an action. What a version says never changes; a new one takes its place."""

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", _("proposed")
        ACTIVE = "ACTIVE", _("in force")
        SUPERSEDED = "SUPERSEDED", _("superseded")
        DISCARDED = "DISCARDED", _("discarded")

    class Source(models.TextChoices):
        FILE = "FILE", _("reviewed file")
        STAFF = "STAFF", _("staff, approved by another")

    action = models.CharField(_("action"), max_length=80)
    version = models.PositiveIntegerField(_("version"))
    content = models.JSONField(_("content"))
    checksum = models.CharField(_("checksum"), max_length=64)
    source = models.CharField(_("source"), max_length=8, choices=Source)
    state = StateField(_("state"), default=State.PROPOSED, choices=State.choices)
    in_force_at = models.DateTimeField(_("in force since"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval policy")
        verbose_name_plural = _("approval policies")
        ordering = ("action", "-version")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["PROPOSED", "ACTIVE", "SUPERSEDED", "DISCARDED"]),
                name="policy_state",
            ),
            models.CheckConstraint(condition=Q(source__in=["FILE", "STAFF"]), name="policy_source"),
            models.UniqueConstraint(fields=["action", "version"], name="policy_version"),
            models.UniqueConstraint(
                fields=["action"], condition=Q(state="ACTIVE"), name="policy_one_in_force"
            ),
            models.UniqueConstraint(
                fields=["action"], condition=Q(state="PROPOSED"), name="policy_one_proposed"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="policy_says_the_same",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("action", "version", "content", "checksum", "source"),
            ),
            pgtrigger.Protect(name="policy_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.action} v{self.version}"

    @transition(state, source=State.PROPOSED, target=State.ACTIVE)
    def activate(self, *, by: Any, reason: str) -> None:
        self.in_force_at = clock.now()

    @transition(state, source=State.ACTIVE, target=State.SUPERSEDED)
    def supersede(self, *, by: Any, reason: str) -> None: ...

    @transition(state, source=State.PROPOSED, target=State.DISCARDED)
    def discard(self, *, by: Any, reason: str) -> None: ...


class ApprovalQuerySet(ScopedQuerySet):
    scope_paths = {"entity": "entity", "desk": "desk_id", "subject_client": "client_id"}

    def open(self) -> ApprovalQuerySet:
        return self.filter(state__in=Approval.OPEN)


class Approval(AuditedModel):
    """A change that waits for other people. What runs in the end is exactly what was asked for: `payload_hash`.

    `stages` is the chain as of the request, so that a policy that is edited meanwhile changes nothing under way.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", _("pending")
        RETURNED = "RETURNED", _("returned for information")
        APPROVED = "APPROVED", _("approved")
        REJECTED = "REJECTED", _("rejected")
        EXPIRED = "EXPIRED", _("expired")
        WITHDRAWN = "WITHDRAWN", _("withdrawn")

    OPEN = (State.PENDING, State.RETURNED)

    action = models.CharField(_("action"), max_length=80)
    title = models.CharField(_("what"), max_length=200)
    subject_type = models.CharField(_("subject type"), max_length=80, blank=True)
    subject_id = models.CharField(_("subject id"), max_length=64, blank=True)
    entity = models.CharField(_("entity"), max_length=20, blank=True)
    desk_id = models.BigIntegerField(null=True, blank=True)
    client_id = models.UUIDField(_("client"), null=True, blank=True)
    payload = models.JSONField(_("change"))
    payload_hash = models.CharField(max_length=64)
    diff = models.JSONField(_("before and after"), default=list, blank=True)
    base = models.JSONField(_("as it was when asked"), null=True, blank=True)
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    amount = models.CharField(_("amount"), max_length=60, blank=True)
    base_amount = models.DecimalField(
        _("amount in the base currency"), max_digits=38, decimal_places=18, null=True, blank=True
    )
    base_currency = models.CharField(max_length=10, blank=True)
    risk_band = models.CharField(_("risk"), max_length=16, blank=True)
    policy_version = models.CharField(_("policy"), max_length=100, blank=True)
    stages = models.JSONField(_("chain"), default=list, blank=True)
    beneficiary_ids = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    maker_id = models.CharField(_("asked by"), max_length=64)
    maker_label = models.CharField(_("asked by"), max_length=200)
    maker_desk_id = models.BigIntegerField(null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    required = models.PositiveSmallIntegerField(_("approvals needed"))
    permission = models.CharField(_("permission"), max_length=120)
    state = StateField(_("state"), default=State.PENDING, choices=State.choices)
    severity = models.CharField(
        _("severity"), max_length=8, choices=Severity, default=Severity.NORMAL
    )
    escalations = models.PositiveSmallIntegerField(_("escalated"), default=0)
    stage_due_at = models.DateTimeField(_("decision due"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    claimed_by = models.CharField(_("taken by"), max_length=64, blank=True)
    claimed_label = models.CharField(_("taken by"), max_length=200, blank=True)
    claimed_until = models.DateTimeField(_("taken until"), null=True, blank=True)
    asked_back_by = models.CharField(max_length=64, blank=True)
    asked_back_label = models.CharField(_("question by"), max_length=200, blank=True)
    question = models.TextField(_("question"), blank=True)
    emergency_allowed = models.BooleanField(default=False)
    review_hours = models.PositiveSmallIntegerField(default=24)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ("-created_at",)
        permissions = [("vote_approval", "Decide on pending approvals")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "PENDING",
                        "RETURNED",
                        "APPROVED",
                        "REJECTED",
                        "EXPIRED",
                        "WITHDRAWN",
                    ]
                ),
                name="approval_state",
            ),
            models.CheckConstraint(condition=Q(required__gte=1), name="approval_required"),
            models.CheckConstraint(
                condition=Q(severity__in=["NORMAL", "HIGH", "CRITICAL"]), name="approval_severity"
            ),
            models.CheckConstraint(
                condition=~Q(claimed_by=F("maker_id")) | Q(claimed_by=""),
                name="approval_not_taken_by_maker",
            ),
            models.UniqueConstraint(fields=["id", "maker_id"], name="approval_maker"),
        ]
        indexes = [
            models.Index(
                fields=["-created_at"],
                condition=Q(state__in=["PENDING", "RETURNED"]),
                name="approval_open",
            ),
            models.Index(fields=["subject_type", "subject_id"], name="approval_subject"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="ended_stays_ended",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=ENDED_STAYS_ENDED,
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_overdue(self) -> bool:
        """Past the time that this stage has."""
        return self.is_open and self.stage_due_at is not None and self.stage_due_at < clock.now()

    @property
    def claimed_now_by(self) -> str:
        """Who has taken it, while their time for it runs."""
        if self.claimed_until is None or self.claimed_until <= clock.now():
            return ""
        return self.claimed_by

    @transition(state, source=OPEN, target=State.APPROVED)
    def approve(self, *, by: Any, reason: str) -> None:
        self._end()

    @transition(state, source=State.PENDING, target=State.REJECTED)
    def reject(self, *, by: Any, reason: str) -> None:
        self._end()

    @transition(state, source=OPEN, target=State.EXPIRED)
    def expire(self, *, by: Any, reason: str) -> None:
        self._end()

    @transition(state, source=OPEN, target=State.WITHDRAWN)
    def withdraw(self, *, by: Any, reason: str) -> None:
        self._end()

    @transition(state, source=State.PENDING, target=State.RETURNED)
    def give_back(self, *, by: Any, reason: str) -> None:
        self.question = reason

    @transition(state, source=State.RETURNED, target=State.PENDING)
    def resume(self, *, by: Any, reason: str) -> None: ...

    def _end(self) -> None:
        self.decided_at = clock.now()
        self.claimed_by = self.claimed_label = ""
        self.claimed_until = None


class ApprovalRound(AppendOnlyModel):
    """What was asked for in each round: a change that was revised or set on a new base keeps what stood before."""

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, models.PROTECT, related_name="rounds")
    number = models.PositiveSmallIntegerField(_("round"))
    payload = models.JSONField(_("change"))
    payload_hash = models.CharField(max_length=64)
    diff = models.JSONField(_("before and after"), default=list)
    base = models.JSONField(null=True)
    reason = models.TextField(_("reason"))
    at = models.DateTimeField(_("at"), default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["approval", "number"], name="round_once"),
        ]

    def __str__(self) -> str:
        return f"{self.approval_id} #{self.number}"


class ApprovalVote(AppendOnlyModel):
    """One person's decision. The database refuses the maker's own vote, a second one, one on another change."""

    class Verdict(models.TextChoices):
        APPROVE = "APPROVE", _("approve")
        REJECT = "REJECT", _("reject")

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, models.PROTECT, related_name="votes")
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    stage = models.PositiveSmallIntegerField(_("stage"), default=0)
    maker_id = models.CharField(max_length=64)
    voter_id = models.CharField(_("decided by"), max_length=64)
    voter_label = models.CharField(_("decided by"), max_length=200)
    authority = models.CharField(_("with the authority of"), max_length=64, default="")
    on_behalf_of = models.CharField(_("on behalf of"), max_length=64, blank=True)
    on_behalf_label = models.CharField(_("on behalf of"), max_length=200, blank=True)
    permission = models.CharField(_("permission"), max_length=120, blank=True)
    verdict = models.CharField(_("decision"), max_length=8, choices=Verdict)
    reason = models.TextField(_("reason"))
    payload_hash = models.CharField(max_length=64)
    at = models.DateTimeField(_("at"), default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["approval", "round", "voter_id"], name="vote_once"),
            models.UniqueConstraint(
                fields=["approval", "round", "authority"], name="vote_once_for_each_authority"
            ),
            models.CheckConstraint(
                condition=~Q(voter_id=F("maker_id")) & ~Q(authority=F("maker_id")),
                name="vote_not_by_maker",
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of="", authority=F("voter_id"))
                | (~Q(on_behalf_of="") & Q(authority=F("on_behalf_of"))),
                name="vote_names_its_authority",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["APPROVE", "REJECT"]), name="vote_verdict"
            ),
        ]
        triggers = [
            *AppendOnlyModel.Meta.triggers,
            pgtrigger.Trigger(
                name="vote_is_on_the_present_change",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("asked", "core_approval%ROWTYPE")],
                func=VOTE_IS_ON_THE_PRESENT_CHANGE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voter_label}: {self.verdict}"


class VoteVoid(AppendOnlyModel):
    """A vote that counts no more, and why. The vote itself stays as it was given."""

    vote = models.OneToOneField(ApprovalVote, models.PROTECT, primary_key=True, related_name="void")
    by = models.CharField(_("by"), max_length=64)
    reason = models.TextField(_("reason"))
    at = models.DateTimeField(_("at"), default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("void vote")
        verbose_name_plural = _("void votes")

    def __str__(self) -> str:
        return f"{self.vote_id}: {self.reason}"


class EmergencyReview(AuditedModel):
    """What one person did alone in an emergency, and what another person thinks of it afterwards."""

    class State(models.TextChoices):
        DUE = "DUE", _("to be reviewed")
        CONFIRMED = "CONFIRMED", _("was right")
        CONTESTED = "CONTESTED", _("was not right")

    approval = models.OneToOneField(Approval, models.PROTECT, related_name="emergency")
    maker_id = models.CharField(max_length=64)
    executed_by = models.CharField(_("done by"), max_length=64)
    executed_label = models.CharField(_("done by"), max_length=200)
    reason = models.TextField(_("emergency"))
    due_at = models.DateTimeField(_("review due"))
    state = StateField(_("state"), default=State.DUE, choices=State.choices)
    reviewed_by = models.CharField(_("reviewed by"), max_length=64, blank=True)
    reviewed_label = models.CharField(_("reviewed by"), max_length=200, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)
    finding = models.TextField(_("finding"), blank=True)
    overdue_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("emergency review")
        verbose_name_plural = _("emergency reviews")
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["DUE", "CONFIRMED", "CONTESTED"]), name="review_state"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by="")
                | (~Q(reviewed_by=F("executed_by")) & ~Q(reviewed_by=F("maker_id"))),
                name="review_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state="DUE", reviewed_by="") | (~Q(state="DUE") & ~Q(reviewed_by="")),
                name="review_names_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approval_id}: {self.state}"

    @property
    def audit_client_id(self) -> Any:
        return self.approval.client_id

    @transition(state, source=State.DUE, target=State.CONFIRMED)
    def confirm(self, *, by: Any, reason: str) -> None:
        self._reviewed(by, reason)

    @transition(state, source=State.DUE, target=State.CONTESTED)
    def contest(self, *, by: Any, reason: str) -> None:
        self._reviewed(by, reason)

    def _reviewed(self, by: Any, reason: str) -> None:
        self.reviewed_by, self.reviewed_label = by.id, by.label
        self.reviewed_at, self.finding = clock.now(), reason


class Delegation(AuditedModel):
    """While someone is away, a colleague decides with their authority: dated, named in every vote, never passed on."""

    holder_id = models.CharField(_("away"), max_length=64)
    holder_label = models.CharField(_("away"), max_length=200)
    delegate_id = models.CharField(_("stands in"), max_length=64)
    delegate_label = models.CharField(_("stands in"), max_length=200)
    permissions = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, verbose_name=_("permissions")
    )
    valid_from = models.DateTimeField(_("from"))
    valid_until = models.DateTimeField(_("until"))
    reason = models.TextField(_("reason"))
    ended_at = models.DateTimeField(_("ended early"), null=True, blank=True)

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        ordering = ("-valid_from",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(holder_id=F("delegate_id")), name="delegation_to_another"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="delegation_dates"
            ),
        ]
        indexes = [models.Index(fields=["delegate_id", "valid_until"], name="delegation_open")]

    def __str__(self) -> str:
        return f"{self.holder_label} → {self.delegate_label}"

    @property
    def in_force(self) -> bool:
        at = clock.now()
        return self.ended_at is None and self.valid_from <= at < self.valid_until
