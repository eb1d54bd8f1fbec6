"""Scope of cases and documents: that of their client."""

from __future__ import annotations

from apps.clients.querysets import client_axes
from apps.core.querysets import ScopedQuerySet
from apps.kyc.enums import CURRENT, WITH_STAFF


class KycCaseQuerySet(ScopedQuerySet):
    scope_paths = client_axes("client__")

    def with_staff(self) -> KycCaseQuerySet:
        """Cases that wait for a decision of ours."""
        return self.filter(state__in=WITH_STAFF)


class DocumentQuerySet(ScopedQuerySet):
    scope_paths = client_axes("case__client__")

    def current(self) -> DocumentQuerySet:
        """Without what was replaced, purged or has run out."""
        return self.filter(state__in=CURRENT)
