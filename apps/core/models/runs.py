"""Work that outlives the page that asked for it: exports, and one action on many rows."""

from __future__ import annotations

from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import new_id
from apps.core.querysets import ScopedQuerySet


class RunQuerySet(ScopedQuerySet):
    """A run is its maker's alone, however far others see."""

    def visible_to(self, actor: Actor) -> Self:
        return self.filter(maker_id=actor.id)


class Run(models.Model):
    """One piece of work with its progress. A draft shows what would happen; starting it happens once."""

    class Kind(models.TextChoices):
        EXPORT = "EXPORT", _("export")
        BULK = "BULK", _("action on many rows")

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("not started")
        QUEUED = "QUEUED", _("waiting for a worker")
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("failed")
        STOPPED = "STOPPED", _("stopped")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    what = models.CharField(_("what"), max_length=120)
    title = models.CharField(_("title"), max_length=200)
    maker_id = models.CharField(_("asked by"), max_length=64)
    maker_label = models.CharField(_("asked by"), max_length=200)
    user_id = models.BigIntegerField(null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    request = models.JSONField(_("request"), default=dict, encoder=DjangoJSONEncoder)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["DRAFT", "QUEUED", "RUNNING", "DONE", "FAILED", "STOPPED"]),
                name="run_state",
            ),
            models.CheckConstraint(condition=Q(kind__in=["EXPORT", "BULK"]), name="run_kind"),
            models.CheckConstraint(
                condition=Q(total__gte=F("done") + F("refused")), name="run_counts"
            ),
            models.CheckConstraint(
                condition=Q(state="DRAFT") | ~Q(reason=""), name="run_has_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["maker_id", "-created_at"], name="run_by_maker"),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["QUEUED", "RUNNING"]),
                name="run_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED, self.State.STOPPED)

    @property
    def percent(self) -> int:
        return 100 * (self.done + self.refused) // self.total if self.total else 0


class RunRow(models.Model):
    """What happened to one row of a run. Written in the same transaction as what happened."""

    class Outcome(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        SKIPPED = "SKIPPED", _("left out")
        DONE = "DONE", _("done")
        REFUSED = "REFUSED", _("refused")

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="rows")
    object_id = models.CharField(max_length=64)
    label = models.CharField(_("row"), max_length=200)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, default=Outcome.WAITING)
    code = models.CharField(_("code"), max_length=60, blank=True)
    message = models.CharField(_("message"), max_length=300, blank=True)
    at = models.DateTimeField(_("at"), null=True, blank=True)

    class Meta:
        verbose_name = _("row of a run")
        verbose_name_plural = _("rows of a run")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["run", "object_id"], name="run_row_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["WAITING", "SKIPPED", "DONE", "REFUSED"]),
                name="run_row_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "id"], condition=Q(outcome="WAITING"), name="run_row_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.outcome}"


class RunFile(models.Model):
    """What an export wrote, encrypted; gone when its time is over."""

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="file")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80)
    content: Any = models.BinaryField()
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("file of a run")
        verbose_name_plural = _("files of runs")
        indexes = [models.Index(fields=["expires_at"], name="run_file_expiry")]

    def __str__(self) -> str:
        return self.name
