"""Scope of cases and documents: that of their client."""

from __future__ import annotations

from apps.core.querysets import ScopedQuerySet
from apps.kyc.enums import CURRENT, WITH_STAFF


class KycCaseQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "client_id",
        "entity": "client__entity__code",
        "desk": "client__desk_id",
        "owner": "client__owner_id",
    }

    def with_staff(self) -> KycCaseQuerySet:
        """Cases that wait for a decision of ours."""
        return self.filter(state__in=WITH_STAFF)


class DocumentQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "case__client_id",
        "entity": "case__client__entity__code",
        "desk": "case__client__desk_id",
        "owner": "case__client__owner_id",
    }

    def current(self) -> DocumentQuerySet:
        """Without what was replaced, purged or has run out."""
        return self.filter(state__in=CURRENT)
