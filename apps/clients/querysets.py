"""Which rows an actor may see, as queries: whoever matches none of the columns sees nothing."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from apps.core.querysets import ScopedQuerySet


class ClientQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "id",
        "entity": "entity__code",
        "desk": "desk_id",
        "owner": "owner_id",
    }


class ClientOwnedQuerySet(ScopedQuerySet):
    """Rows that hang on one client by `client`."""

    scope_paths = {
        "client": "client_id",
        "entity": "client__entity__code",
        "desk": "client__desk_id",
        "owner": "client__owner_id",
    }


class PersonQuerySet(ScopedQuerySet):
    scope_paths = {
        "client": "clients__id",
        "entity": "clients__entity__code",
        "desk": "clients__desk_id",
        "owner": "clients__owner_id",
    }


class EntityQuerySet(ScopedQuerySet):
    scope_paths = {"entity": "code"}


class AgreementQuerySet(ScopedQuerySet):
    scope_paths = {"entity": "entity__code"}


class RestrictionQuerySet(ClientOwnedQuerySet):
    def in_force(self, at: datetime) -> RestrictionQuerySet:
        """Those that bind at this instant: not lifted and not run out."""
        return self.filter(lifted_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))

    def run_out(self, at: datetime) -> RestrictionQuerySet:
        """Those whose time is over and whose end nobody has recorded yet."""
        return self.filter(lifted_at=None, expires_at__lte=at)
