"""From which networks staff may come, and who looked at a client's pages as that client sees them."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.models import AuditedModel
from apps.core.querysets import MachineryQuerySet
from apps.users.querysets import OfUserQuerySet


class NetworkRule(AuditedModel):
    """Members of staff with this role, or this one person, come only from these networks."""

    role = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
    )
    networks = ArrayField(models.CharField(max_length=43), verbose_name=_("networks"))
    active = models.BooleanField(_("active"), default=True)
    reason = models.TextField(_("reason"))

    objects = MachineryQuerySet.as_manager()

    class Meta:
        verbose_name = _("network rule")
        verbose_name_plural = _("network rules")
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(role=None, user__isnull=False) | Q(role__isnull=False, user=None),
                name="network_rule_for_one",
            ),
            models.CheckConstraint(
                condition=Q(networks__len__gte=1), name="network_rule_names_some"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="network_rule_reason"),
            models.UniqueConstraint(
                fields=["role"], condition=Q(active=True), name="network_rule_one_a_role"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(active=True), name="network_rule_one_a_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.role}: {', '.join(self.networks)}"

    def lets_in(self, address: str) -> bool:
        """Whether the address lies in one of the networks. One that cannot be read lies in none."""
        try:
            came_from = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(came_from, ipaddress.IPv6Address) and came_from.ipv4_mapped:
            came_from = came_from.ipv4_mapped
        return any(came_from in ipaddress.ip_network(network) for network in self.networks)


class Impersonation(AuditedModel):
    """A member of staff looks at a client's pages as the client does: reading only, for a while, for a purpose."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("member of staff"),
    )
    login = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("login")
    )
    client_ids = ArrayField(models.UUIDField(), default=list, verbose_name=_("clients"))
    purpose = models.TextField(_("purpose"))
    started_at = models.DateTimeField(_("from"), default=clock.now)
    expires_at = models.DateTimeField(_("at most until"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = OfUserQuerySet.as_manager()

    class Meta:
        verbose_name = _("view as a client")
        verbose_name_plural = _("views as a client")
        ordering = ("-started_at",)
        constraints = [
            models.CheckConstraint(condition=~Q(user=F("login")), name="look_at_another"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("started_at")), name="impersonation_ends"
            ),
            models.CheckConstraint(condition=~Q(purpose=""), name="impersonation_purpose"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None), name="impersonation_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} → {self.login_id}"

    def runs_at(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.expires_at
