"""What happened in a case."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class KycSubmitted(Event):
    name = "kyc.KycSubmitted"
    aggregate = "client_id"

    client_id: UUID
    case_id: UUID


@dataclass(frozen=True, kw_only=True)
class KycApproved(Event):
    """The client is verified to `level`."""

    name = "kyc.KycApproved"
    aggregate = "client_id"

    client_id: UUID
    case_id: UUID
    level: int


@dataclass(frozen=True, kw_only=True)
class KycResubmissionRequested(Event):
    """The client has something to do: new documents or information."""

    name = "kyc.KycResubmissionRequested"
    aggregate = "client_id"

    client_id: UUID
    case_id: UUID


@dataclass(frozen=True, kw_only=True)
class KycRejected(Event):
    """Final. Nothing that the client sends will reopen the case; staff may, with four eyes."""

    name = "kyc.KycRejected"
    aggregate = "client_id"

    client_id: UUID
    case_id: UUID


@dataclass(frozen=True, kw_only=True)
class DocumentUploaded(Event):
    name = "kyc.DocumentUploaded"
    aggregate = "client_id"

    client_id: UUID
    case_id: UUID
    document_id: UUID
