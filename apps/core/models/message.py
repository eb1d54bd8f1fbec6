"""Messages: their words as data, and the fact that one was sent."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.models.base import AuditedModel
from apps.core.models.fields import StateField
from apps.core.querysets import ScopedQuerySet, TrailQuerySet


class MessageTemplateQuerySet(ScopedQuerySet):
    """Words for one company are that company's; words for everybody are for those who see the whole house."""

    scope_paths = {"entity": "entity"}


class MessageTemplate(AuditedModel):
    """One version of the words of one kind of message in one language, for one company or for all.

    What the file says holds until a version here is active. A version that was active is never edited:
    the next one is drafted from it, approved by somebody else, and takes its place.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("draft")
        PROPOSED = "PROPOSED", _("waits for approval")
        ACTIVE = "ACTIVE", _("in use")
        RETIRED = "RETIRED", _("retired")

    code = models.CharField(_("message"), max_length=60)
    entity = models.CharField(_("company"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=8)
    version = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("subject"), max_length=150)
    body = models.TextField(_("text"), max_length=8000)
    state = StateField(_("state"), default=State.DRAFT, choices=State.choices)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)

    objects = MessageTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("message text")
        verbose_name_plural = _("message texts")
        ordering = ("code", "entity", "language", "-version")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["DRAFT", "PROPOSED", "ACTIVE", "RETIRED"]),
                name="message_state",
            ),
            models.UniqueConstraint(
                fields=["code", "entity", "language", "version"], name="message_version"
            ),
            models.UniqueConstraint(
                fields=["code", "entity", "language"],
                condition=Q(state="ACTIVE"),
                name="message_one_in_use",
            ),
            models.UniqueConstraint(
                fields=["code", "entity", "language"],
                condition=Q(state__in=["DRAFT", "PROPOSED"]),
                name="message_one_in_work",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.entity or '*'} {self.language} v{self.version}"

    @transition(state, source=State.DRAFT, target=State.PROPOSED)
    def propose(self, *, by: Any, reason: str) -> None:
        """Somebody else decides."""

    @transition(state, source=State.PROPOSED, target=State.DRAFT)
    def send_back(self, *, by: Any, reason: str) -> None:
        self.approval_id = None

    @transition(state, source=[State.PROPOSED, State.DRAFT], target=State.ACTIVE)
    def activate(self, *, by: Any, reason: str) -> None:
        """From now on these are the words."""

    @transition(state, source=[State.ACTIVE, State.DRAFT], target=State.RETIRED)
    def retire(self, *, by: Any, reason: str) -> None:
        """Another version, or the file, takes over."""


class SentMail(models.Model):
    """One message of one event to one reader: sent once. Neither address nor words are kept."""

    class State(models.TextChoices):
        SENDING = "SENDING", _("being sent")
        SENT = "SENT", _("sent")
        BOUNCED = "BOUNCED", _("refused by the reader's server")

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(_("event"), max_length=120)
    code = models.CharField(_("message"), max_length=60)
    recipient = models.CharField(_("recipient's digest"), max_length=32)
    user_id = models.BigIntegerField(_("login"), null=True, blank=True)
    client_id = models.UUIDField(_("client"), null=True, blank=True)
    entity = models.CharField(_("company"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=8)
    version = models.PositiveIntegerField(_("version"), default=0)
    message_id = models.CharField(_("message id"), max_length=120)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.SENDING)
    problem = models.CharField(_("problem"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("begun"), default=clock.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = TrailQuerySet.as_manager()

    class Meta:
        verbose_name = _("sent message")
        verbose_name_plural = _("sent messages")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["key", "code", "recipient"], name="mail_once"),
            models.CheckConstraint(
                condition=Q(state__in=["SENDING", "SENT", "BOUNCED"]), name="mail_state"
            ),
        ]
        indexes = [models.Index(fields=["client_id", "-id"], name="mail_of_client")]

    def __str__(self) -> str:
        return f"{self.code} {self.state}"
