"""A client opened to a colleague for a while."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.managers import UserObjectPermissionManager

from apps.clients.querysets import ShareQuerySet
from apps.users.models import DatedGrant


class ClientShare(DatedGrant):
    """One colleague sees one client, with its accounts, money and cases, until an instant.

    It widens what they see and never what they may do: that stays with their role.
    """

    content_object = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="shares", verbose_name=_("client"),
        db_column="client_id",
    )  # fmt: skip

    objects = UserObjectPermissionManager.from_queryset(ShareQuerySet)()  # type: ignore[misc,assignment]

    class Meta(DatedGrant.Meta):
        abstract = False
        verbose_name = _("shared client")
        verbose_name_plural = _("shared clients")
        indexes = [
            models.Index(
                fields=["user", "valid_until"],
                condition=models.Q(revoked_at=None),
                name="clients_share_open",
            ),
        ]

    @property
    def audit_client_id(self) -> UUID:
        return self.content_object_id
