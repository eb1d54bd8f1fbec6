from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import new_id
from apps.core.querysets import MachineryQuerySet


class OutboxEvent(models.Model):
    """Something that happened, written in the same transaction as the change it tells of."""

    seq = models.BigAutoField(primary_key=True)
    id = models.UUIDField(default=new_id, unique=True)
    name = models.CharField(_("event"), max_length=80)
    aggregate = models.CharField(_("aggregate"), max_length=64)
    payload = models.JSONField(_("payload"))
    request_id = models.CharField(_("request"), max_length=64, blank=True, db_default="")
    created_at = models.DateTimeField(_("at"), default=clock.now)
    dispatched_at = models.DateTimeField(_("dispatched at"), null=True, blank=True)

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-seq",)
        indexes = [
            models.Index(
                fields=["seq"], condition=Q(dispatched_at__isnull=True), name="outbox_waiting"
            ),
            models.Index(fields=["dispatched_at"], name="outbox_age"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="event_is_immutable",
                operation=pgtrigger.UpdateOf(
                    "seq", "id", "name", "aggregate", "payload", "created_at"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.aggregate}"


class Delivery(models.Model):
    """One event on its way to one handler. Done together with the handler's effect, so the effect happens once."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("pending")
        DONE = "DONE", _("done")
        DEAD = "DEAD", _("dead letter")
        SKIPPED = "SKIPPED", _("skipped by a person")

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(OutboxEvent, models.PROTECT, related_name="deliveries")
    handler = models.CharField(_("handler"), max_length=120)
    lane = models.CharField(_("lane"), max_length=120, db_default="")
    aggregate = models.CharField(_("aggregate"), max_length=64)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"), default=clock.now)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-id",)
        permissions = [
            ("retry_delivery", "Retry a dead delivery"),
            ("skip_delivery", "Skip a dead delivery"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "handler"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(state__in=["PENDING", "DONE", "DEAD", "SKIPPED"]),
                name="delivery_state",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="PENDING"), name="delivery_due"),
            models.Index(
                fields=["lane", "aggregate", "event"],
                condition=Q(state__in=["PENDING", "DEAD"]),
                name="delivery_in_order",
            ),
            models.Index(fields=["handler"], condition=Q(state="DEAD"), name="delivery_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.handler}"
