"""What happened to clients. Identifiers only; whoever reacts reads what it may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class ClientRegistered(Event):
    """Somebody registered; the address may still be unconfirmed. `partner_code` as it was given."""

    name = "clients.ClientRegistered"
    aggregate = "client_id"

    client_id: UUID
    partner_code: str
    entity: str


@dataclass(frozen=True, kw_only=True)
class EmailConfirmationRequested(Event):
    """A link is to be mailed. The token itself is never in an event."""

    name = "clients.EmailConfirmationRequested"
    aggregate = "client_id"

    client_id: UUID
    confirmation_id: UUID


@dataclass(frozen=True, kw_only=True)
class RegistrationRepeated(Event):
    """Somebody registered with an address that has a login; its owner is told by mail."""

    name = "clients.RegistrationRepeated"
    aggregate = "user_id"

    user_id: int


@dataclass(frozen=True, kw_only=True)
class EmailConfirmed(Event):
    name = "clients.EmailConfirmed"
    aggregate = "client_id"

    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class OnboardingSubmitted(Event):
    """Every step that this client must give has been given."""

    name = "clients.OnboardingSubmitted"
    aggregate = "client_id"

    client_id: UUID
    session_id: UUID


@dataclass(frozen=True, kw_only=True)
class ClientVerificationChanged(Event):
    name = "clients.ClientVerificationChanged"
    aggregate = "client_id"

    client_id: UUID
    kyc_status: str
    kyc_level: int


@dataclass(frozen=True, kw_only=True)
class ClientActivated(Event):
    name = "clients.ClientActivated"
    aggregate = "client_id"

    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class ClientLifecycleChanged(Event):
    """The relationship moved to any other place than active."""

    name = "clients.ClientLifecycleChanged"
    aggregate = "client_id"

    client_id: UUID
    lifecycle: str


@dataclass(frozen=True, kw_only=True)
class ClientOwnerChanged(Event):
    name = "clients.ClientOwnerChanged"
    aggregate = "client_id"

    client_id: UUID


@dataclass(frozen=True, kw_only=True)
class RestrictionAdded(Event):
    name = "clients.RestrictionAdded"
    aggregate = "client_id"

    client_id: UUID
    restriction_id: UUID
    kind: str
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RestrictionLifted(Event):
    """One restriction ended, by hand or by time. Another of the same kind may still stand:
    `still_restricted` says so, and whoever passes restrictions on must look at it."""

    name = "clients.RestrictionLifted"
    aggregate = "client_id"

    client_id: UUID
    restriction_id: UUID
    kind: str
    still_restricted: bool


@dataclass(frozen=True, kw_only=True)
class ClientShared(Event):
    """A client was opened to a colleague until an instant."""

    name = "clients.ClientShared"
    aggregate = "client_id"

    client_id: UUID
    share_id: UUID
    user_id: int
    until: datetime


@dataclass(frozen=True, kw_only=True)
class ClientShareEnded(Event):
    """A share was taken back before its date. One that runs out tells nobody: it is simply over."""

    name = "clients.ClientShareEnded"
    aggregate = "client_id"

    client_id: UUID
    share_id: UUID
    user_id: int


@dataclass(frozen=True, kw_only=True)
class PrivacyRequested(Event):
    """Somebody asks for a copy of their data, or for its end."""

    name = "clients.PrivacyRequested"
    aggregate = "client_id"

    request_id: UUID
    client_id: UUID
    kind: str


@dataclass(frozen=True, kw_only=True)
class ClientErased(Event):
    """These classes of the client's data are gone; whoever keeps a copy lets go of it."""

    name = "clients.ClientErased"
    aggregate = "client_id"

    client_id: UUID
    classes: list[str]
