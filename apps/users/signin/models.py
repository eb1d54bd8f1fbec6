from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import clock


class SignInBrake(models.Model):
    """How often somebody failed at one door, and until when it stays shut.

    `key` is a digest of the typed address, of the network address or of the login: an address that nobody has is
    braked exactly as one that somebody has.
    """

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("typed address")
        ADDRESS = "address", _("network address")
        PROOF = "proof", _("second factor or confirmation")

    kind = models.CharField(_("counts"), max_length=8, choices=Kind.choices)
    key = models.CharField(_("digest"), max_length=64)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    failed_at = models.DateTimeField(_("last failure"), default=clock.now)
    shut_until = models.DateTimeField(_("shut until"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in brake")
        verbose_name_plural = _("sign-in brakes")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "key"], name="signin_brake_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["account", "address", "proof"]),
                name="signin_brake_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key[:8]}: {self.failures}"


class KnownDevice(models.Model):
    """A browser that somebody has signed in with before, known by a secret that it alone keeps."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="devices")
    key = models.CharField(_("digest"), max_length=64)
    description = models.CharField(_("browser"), max_length=200, blank=True)
    first_at = models.DateTimeField(_("first sign-in"), default=clock.now)
    last_at = models.DateTimeField(_("last sign-in"), default=clock.now)

    class Meta:
        verbose_name = _("known device")
        verbose_name_plural = _("known devices")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key"], name="known_device_once")
        ]

    def __str__(self) -> str:
        return self.description
