from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.models.base import AppendOnlyModel
from apps.core.querysets import MachineryQuerySet, TrailQuerySet


class AuditRecord(AppendOnlyModel):
    """Who did what to what, when, why, and what it was before. Written once, sealed into a chain."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), default=clock.now)
    actor_kind = models.CharField(_("kind of actor"), max_length=12)
    actor_id = models.CharField(_("actor id"), max_length=64)
    actor_label = models.CharField(_("actor"), max_length=200)
    on_behalf_of = models.CharField(_("on behalf of"), max_length=64, blank=True, default="")
    action = models.CharField(_("action"), max_length=80)
    subject_type = models.CharField(_("subject type"), max_length=80, blank=True)
    subject_id = models.CharField(_("subject id"), max_length=64, blank=True)
    client_id = models.UUIDField(_("client"), null=True, blank=True)
    before = models.JSONField(_("before"), default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), default=dict, encoder=DjangoJSONEncoder)
    reason = models.TextField(_("reason"), blank=True)
    decision_id = models.UUIDField(_("decision"), null=True, blank=True)
    approval_id = models.UUIDField(_("approval"), null=True, blank=True)
    rule_versions = models.JSONField(_("rule versions"), default=list, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)

    objects = TrailQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("audit record")
        verbose_name_plural = _("audit trail")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["client_id", "-id"], name="audit_by_client"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="audit_by_subject"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(
                fields=["approval_id"],
                name="audit_by_approval",
                condition=models.Q(approval_id__isnull=False),
            ),
            models.Index(
                fields=["decision_id"],
                name="audit_by_decision",
                condition=models.Q(decision_id__isnull=False),
            ),
            models.Index(
                fields=["request_id"],
                name="audit_by_request",
                condition=~models.Q(request_id=""),
            ),
            BrinIndex(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_label}: {self.action}"


class AuditSeal(AppendOnlyModel):
    """One link of the chain.

    `record_digest` is that of the record alone, `digest` binds it to its place and to the seal before. Both and
    `previous` are kept, so that the very row that was touched can be told from its neighbours.
    """

    position = models.BigIntegerField(primary_key=True)
    record_id = models.BigIntegerField(unique=True)
    version = models.PositiveSmallIntegerField(default=1)
    record_digest = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.position}: {self.record_id}"


class AuditHead(AppendOnlyModel):
    """The end of the chain at one moment, signed by a key that the database never holds."""

    id = models.BigAutoField(primary_key=True)
    position = models.BigIntegerField(_("records sealed"))
    record_id = models.BigIntegerField(_("last record"))
    digest = models.CharField(_("digest"), max_length=64)
    at = models.DateTimeField(_("signed"), default=clock.now)
    key_id = models.CharField(_("key"), max_length=16)
    signature = models.CharField(_("signature"), max_length=88)

    objects = MachineryQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("signed head")
        verbose_name_plural = _("signed heads")
        ordering = ("-id",)
        indexes = [models.Index(fields=["position"], name="audit_head_position")]

    def __str__(self) -> str:
        return f"{self.position} {self.digest[:12]}"
