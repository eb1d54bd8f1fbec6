"""Versions of rule sets, their rows, and the receipt of every decision."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.rules.engine.compile import RuleRow, RuleSource
from apps.rules.engine.schema import Outcome
from apps.rules.enums import HIT_POLICIES, OUTCOMES, RuleSetOrigin, RuleSetState
from apps.rules.errors import AuthorPublishes
from apps.rules.querysets import DecisionLogQuerySet, RuleSetQuerySet

_FROZEN = "('PENDING_APPROVAL', 'ACTIVE', 'SUPERSEDED', 'ROLLED_BACK')"
_CONTENT = (
    "entity",
    "point",
    "version",
    "hit_policy",
    "checksum",
    "origin",
    "author_id",
    "restores",
)
_CONTENT_CHANGED = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _CONTENT)


class RuleSet(AuditedModel):
    """One version of the rows that answer one point for one entity (empty: for every entity).

    What a version says never changes once it waits for approval: the database refuses it, so the receipt of
    an old decision can be computed again.
    """

    entity = models.CharField(_("entity"), max_length=16, blank=True)
    point = models.CharField(_("decision point"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    title = models.CharField(_("title"), max_length=200)
    hit_policy = models.CharField(_("hit policy"), max_length=20, choices=HIT_POLICIES)
    state = StateField(_("state"), default=RuleSetState.DRAFT, choices=RuleSetState.choices)
    checksum = models.CharField(_("checksum"), max_length=64, blank=True)
    origin = models.CharField(_("written in"), max_length=8, choices=RuleSetOrigin)
    author_id = models.CharField(max_length=64)
    author_label = models.CharField(_("written by"), max_length=200)
    publisher_id = models.CharField(max_length=64, blank=True)
    publisher_label = models.CharField(_("published by"), max_length=200, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    restores = models.PositiveIntegerField(_("restores version"), null=True, blank=True)

    objects = RuleSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule set")
        verbose_name_plural = _("rule sets")
        ordering = ["point", "entity", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "point", "version"], name="rules_set_version"
            ),
            models.UniqueConstraint(
                fields=["entity", "point"], condition=Q(state="ACTIVE"), name="rules_set_one_active"
            ),
            models.CheckConstraint(
                condition=Q(state__in=RuleSetState.values), name="rules_set_state_legal"
            ),
            models.CheckConstraint(
                condition=Q(publisher_id="") | ~Q(publisher_id=F("author_id")),
                name="rules_set_author_is_not_publisher",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="content_is_immutable",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=f"""
                    IF OLD.state IN {_FROZEN} AND ({_CONTENT_CHANGED}) THEN
                        RAISE EXCEPTION 'a published rule set never changes';
                    END IF;
                    IF OLD.state IN ('SUPERSEDED', 'ROLLED_BACK') AND NEW.state IS DISTINCT FROM OLD.state THEN
                        RAISE EXCEPTION 'an ended rule set never returns';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"

    @property
    def key(self) -> str:
        return f"{self.entity or 'COMMON'}/{self.point}"

    @property
    def source(self) -> RuleSource:
        return RuleSource(self.key, self.version, self.checksum)

    @transition(state, source=RuleSetState.DRAFT, target=RuleSetState.TESTING)
    def pass_tests(self, *, by: Actor, reason: str) -> None:
        pass

    @transition(state, source=[RuleSetState.TESTING], target=RuleSetState.DRAFT)
    def reopen(self, *, by: Actor, reason: str) -> None:
        self.checksum = ""

    @transition(state, source=RuleSetState.TESTING, target=RuleSetState.PENDING_APPROVAL)
    def submit(self, *, by: Actor, reason: str) -> None:
        pass

    @transition(
        state,
        source=[RuleSetState.TESTING, RuleSetState.PENDING_APPROVAL],
        target=RuleSetState.ACTIVE,
    )
    def publish(self, *, by: Actor, reason: str) -> None:
        if by.id == self.author_id:
            raise AuthorPublishes
        self.publisher_id, self.publisher_label = by.id, by.label
        self.published_at = clock.now()

    @transition(state, source=RuleSetState.ACTIVE, target=RuleSetState.SUPERSEDED)
    def supersede(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()

    @transition(
        state,
        source=[RuleSetState.ACTIVE, RuleSetState.PENDING_APPROVAL],
        target=RuleSetState.ROLLED_BACK,
    )
    def roll_back(self, *, by: Actor, reason: str) -> None:
        self.ended_at = clock.now()


class Rule(models.Model):
    """One row of a version. Rows of a version that waits for approval or came after it are immutable."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ruleset = models.ForeignKey(RuleSet, models.PROTECT, related_name="rules")
    code = models.SlugField(_("code"), max_length=60)
    priority = models.PositiveSmallIntegerField(_("priority"), default=100)
    when = models.CharField(_("condition"), max_length=2_000)
    outcome = models.CharField(_("outcome"), max_length=8, choices=OUTCOMES)
    then = models.JSONField(_("obligations"), default=dict, blank=True)
    reason = models.CharField(_("reason code"), max_length=60, blank=True)
    text = models.CharField(_("reason"), max_length=300, blank=True)
    scope = models.JSONField(_("scope"), default=dict, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    source_url = models.URLField(_("source"), max_length=300, blank=True)
    verified_on = models.DateField(_("source read on"), null=True, blank=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["priority", "code"]
        constraints = [
            models.UniqueConstraint(fields=["ruleset", "code"], name="rules_rule_code"),
            models.CheckConstraint(
                condition=Q(outcome__in=[code for code, _label in OUTCOMES]),
                name="rules_rule_outcome_legal",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gt=F("valid_from")),
                name="rules_rule_window",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="row_of_a_published_set",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                declare=[("frozen", "INT")],
                func="""
                    SELECT count(*) INTO frozen FROM rules_ruleset s
                    WHERE s.state IN ('PENDING_APPROVAL', 'ACTIVE', 'SUPERSEDED', 'ROLLED_BACK')
                      AND ((TG_OP <> 'INSERT' AND s.id = OLD.ruleset_id)
                        OR (TG_OP <> 'DELETE' AND s.id = NEW.ruleset_id));
                    IF frozen > 0 THEN
                        RAISE EXCEPTION 'rows of a published rule set never change';
                    END IF;
                    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def from_row(cls, ruleset: RuleSet, row: RuleRow) -> Rule:
        return cls(
            ruleset=ruleset,
            code=row.code,
            priority=row.priority,
            when=row.when,
            outcome=row.outcome.value,
            then=dict(row.then),
            reason=row.reason,
            text=row.text,
            scope={name: list(values) for name, values in row.scope.items()},
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            enabled=row.enabled,
            source_url=row.source_url,
            verified_on=row.verified_on or None,
        )

    @property
    def row(self) -> RuleRow:
        """The row as the engine takes it."""
        return RuleRow(
            code=self.code,
            when=self.when,
            outcome=Outcome(self.outcome),
            then=self.then,
            reason=self.reason,
            text=self.text,
            priority=self.priority,
            scope={name: tuple(values) for name, values in self.scope.items()},
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            enabled=self.enabled,
            source_url=self.source_url,
            verified_on=str(self.verified_on or ""),
        )


class RulesVersion(models.Model):
    """A single row whose number grows with every publication: processes compare it and reload."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="rules_version_single")]

    def __str__(self) -> str:
        return str(self.number)


class DecisionLog(AppendOnlyModel):
    """The receipt of one decision: what was asked, which version answered, what each row said, who asked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    decided_at = models.DateTimeField(_("decided"), default=clock.now)
    point = models.CharField(_("decision point"), max_length=60)
    entity = models.CharField(_("entity"), max_length=16, blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=OUTCOMES)
    sources = models.JSONField(_("rule sets"))
    inputs = models.JSONField(_("inputs"))
    problems = models.JSONField(_("unusable inputs"), default=list)
    results = models.JSONField(_("rows"))
    obligations = models.JSONField(_("obligations"))
    reasons = models.JSONField(_("reasons"))
    duration_us = models.PositiveIntegerField(_("microseconds"))
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(_("asked for"), max_length=200)
    subject_type = models.CharField(_("about"), max_length=80, blank=True)
    subject_id = models.CharField(_("about"), max_length=64, blank=True)
    client_id = models.UUIDField(_("client"), null=True, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)

    objects = DecisionLogQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("decision receipt")
        verbose_name_plural = _("decision receipts")
        ordering = ["-decided_at", "-id"]
        indexes = [
            models.Index(fields=["client_id", "-decided_at"], name="rules_receipt_client"),
            models.Index(fields=["subject_type", "subject_id"], name="rules_receipt_subject"),
            models.Index(fields=["point", "-decided_at"], name="rules_receipt_point"),
            models.Index(fields=["-decided_at"], name="rules_receipt_time"),
        ]

    def __str__(self) -> str:
        return f"{self.point} {self.outcome}"

    @property
    def version_label(self) -> str:
        return ", ".join(f"{source['key']} v{source['version']}" for source in self.sources)
