from __future__ import annotations

from django.db import models

from apps.core import clock


class IdempotencyRecord(models.Model):
    """The first answer to an unsafe request, given again when the same key returns."""

    class State(models.TextChoices):
        IN_PROGRESS = "IN_PROGRESS"
        DONE = "DONE"

    scope = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State, default=State.IN_PROGRESS)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="idempotency_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["IN_PROGRESS", "DONE"]), name="idempotency_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
