"""A client's way through the questions, saved at every step."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.clients.enums import OnboardingState
from apps.clients.querysets import ClientOwnedQuerySet
from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AuditedModel
from apps.core.models.fields import StateField
from apps.core.privacy.fields import EncryptedJSONField


class OnboardingSession(AuditedModel):
    """Answers so far. Pinned to the schema version with which it began, so that a question
    published meanwhile does not change the ground under somebody's feet."""

    personal_fields = {"answers": "free"}
    audit_redacted = ("last_problem",)

    client = models.OneToOneField(
        "clients.Client", models.PROTECT, related_name="onboarding", verbose_name=_("client")
    )
    schema_code = models.CharField(_("schema"), max_length=60)
    schema_version = models.PositiveIntegerField(_("version"))
    answers = EncryptedJSONField(_("answers"), subject="client_id")
    completed_steps = models.JSONField(_("completed steps"), default=list)
    current_step = models.CharField(_("stands at"), max_length=40)
    step_entered_at = models.DateTimeField(_("there since"))
    last_problem = models.CharField(_("last problem"), max_length=300, blank=True)
    failed_attempts = models.PositiveIntegerField(_("refused attempts at this step"), default=0)
    state = StateField(_("state"), default=OnboardingState.OPEN, choices=OnboardingState.choices)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)

    objects = ClientOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("onboarding")
        verbose_name_plural = _("onboarding")
        ordering = ["step_entered_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=OnboardingState.values),
                name="clients_onboarding_state_legal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.current_step}"

    @property
    def audit_client_id(self) -> UUID:
        return self.client_id

    @transition(state, source=OnboardingState.OPEN, target=OnboardingState.SUBMITTED)
    def submit(self, *, by: Actor, reason: str) -> None:
        self.submitted_at = clock.now()
