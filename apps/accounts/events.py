"""What happened to trading accounts. Identifiers only."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class AccountRequested(Event):
    """Somebody asked for an account; a person decides, or it is being opened already."""

    name = "accounts.AccountRequested"
    aggregate = "account_id"

    account_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class AccountActivated(Event):
    """The platform has the account and its login is known: it can be funded and traded."""

    name = "accounts.AccountActivated"
    aggregate = "account_id"

    account_id: UUID
    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class AccountChanged(Event):
    """Something that trading depends on changed. Read `account_engine_view` for what is true now."""

    name = "accounts.AccountChanged"
    aggregate = "account_id"

    account_id: UUID


@dataclass(frozen=True, kw_only=True)
class AccountProvisionFailed(Event):
    name = "accounts.AccountProvisionFailed"
    aggregate = "account_id"

    account_id: UUID
    operation_id: UUID


@dataclass(frozen=True, kw_only=True)
class PlatformOperationRequested(Event):
    """Something waits to be done on a platform."""

    name = "accounts.PlatformOperationRequested"
    aggregate = "account_id"

    account_id: UUID
    operation_id: UUID
